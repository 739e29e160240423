//! startstop-host among service managers, monitoring and browsers that people run: a module for each.

mod browser;
#[path = "../../free_port.rs"]
mod free_port;
mod prometheus;
mod rolling;
mod s6;
mod scrape;
mod slow;
mod support;
mod systemd;
mod waiting;
mod wrk;
