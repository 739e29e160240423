//! The tests of startstop: a module per behaviour.

mod blocked;
mod promises;
mod restart;
mod stress_support;
