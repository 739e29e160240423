//! The tests of startstop: a module per behaviour.

mod promises;
mod restart;
mod stress_support;
