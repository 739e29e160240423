//! The tests of startstop: a module per behaviour.

mod promises;
mod stress_support;
