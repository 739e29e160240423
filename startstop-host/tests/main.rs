//! The tests of startstop-host: a module per behaviour.

mod probes;
#[cfg(all(unix, feature = "sockets"))]
mod sockets;
