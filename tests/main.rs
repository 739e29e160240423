//! The tests of startstop: a module per behaviour.

mod closures;
mod history;
mod start;
mod stop;
mod support;
mod table;
mod blocked;
mod drops;
mod handles;
mod parent;
mod promises;
mod restart;
mod stress;
mod stress_support;
