//! The tests of startstop: a module per behaviour.

mod derive;
mod ui;
