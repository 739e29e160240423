//! The tests of startstop: a module per behaviour.

mod closures;
mod events;
mod history;
mod start;
mod stop;
mod support;
mod table;
mod blocked;
mod deadlines;
mod drops;
mod handles;
mod parent;
mod promises;
mod restart;
mod stress;
#[cfg(unix)]
mod application;
#[cfg(unix)]
mod child;
#[cfg(unix)]
mod examples;
#[cfg(unix)]
mod programs;
#[cfg(unix)]
mod readme;
mod tidy;
mod derive;
mod ui;
mod groups;
mod serialize;
mod trace;
mod service;
mod slot;
mod random;
mod model;
mod others;
mod elsewhere;
mod faults;
mod status;
mod formats;
#[cfg(target_os = "linux")]
mod soak;
