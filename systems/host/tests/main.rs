//! startstop-host among service managers, monitoring and browsers that people run: a module for each.

mod browser;
mod prometheus;
mod s6;
mod support;
mod systemd;
