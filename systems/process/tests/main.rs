//! Servers that people run, as child processes: a module for each.
#![cfg(target_os = "linux")]

#[path = "../../free_port.rs"]
mod free_port;
mod support;
mod redis;
mod etcd;
mod nginx;
mod left_behind;
mod killed;
mod systemd;
mod watched;
