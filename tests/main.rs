//! The tests of startstop: a module per behaviour.

mod closures;
mod history;
mod start;
mod stop;
mod support;
mod table;
