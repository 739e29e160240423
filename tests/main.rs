//! The tests of startstop: a module per behaviour.
