//! Derived services at work.
