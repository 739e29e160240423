//! Servers that people run, as child processes: a module for each.
#![cfg(target_os = "linux")]

mod support;
mod redis;
mod etcd;
mod nginx;
mod left_behind;
mod killed;
mod systemd;
mod watched;
