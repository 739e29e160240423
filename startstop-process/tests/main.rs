//! The tests of child processes: a module per behaviour.
#![cfg(target_os = "linux")]

mod support;
mod ending;
mod leaks;
mod output;
mod ready;
mod spawning;
mod stopping;
