//! The tests of child processes: a module per behaviour.
#![cfg(target_os = "linux")]

#[path = "../../systems/free_port.rs"]
mod free_port;
mod support;
mod ending;
#[cfg(feature = "run")]
mod environment;
mod file;
#[cfg(feature = "run")]
mod init;
mod killed;
mod leaving;
mod notify;
mod output;
#[cfg(feature = "run")]
mod program;
mod ready;
mod reload;
mod reuse;
mod spawning;
mod stopping;
#[cfg(feature = "run")]
mod terminal;
#[cfg(feature = "tracing")]
mod traced;
