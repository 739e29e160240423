//! The tests of startstop-fleet: a module per behaviour.

mod leader;
mod overrun;
mod stores;
mod support;
