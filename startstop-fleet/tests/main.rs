//! The tests of startstop-fleet: a module per behaviour.

mod docs;
mod leader;
mod overrun;
#[cfg(unix)]
mod replicas;
mod shards;
mod stores;
mod support;
