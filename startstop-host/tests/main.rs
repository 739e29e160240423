//! The tests of startstop-host: a module per behaviour.

#[cfg(all(target_os = "linux", feature = "init"))]
#[path = "../../systems/free_port.rs"]
mod free_port;

#[cfg(feature = "admin")]
mod admin;
#[cfg(feature = "grpc-health")]
mod grpc_health;
#[cfg(all(unix, feature = "handover"))]
mod handover;
mod host;
#[cfg(feature = "admin")]
mod http;
#[cfg(all(target_os = "linux", feature = "init"))]
mod init;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(all(unix, feature = "notify"))]
mod notify;
#[cfg(feature = "otel")]
mod otel;
mod probes;
mod replaceable;
#[cfg(feature = "serve")]
mod serve;
#[cfg(all(unix, feature = "sockets"))]
mod sockets;
#[cfg(all(feature = "admin", feature = "top"))]
mod top;
