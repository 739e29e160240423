//! Many replicas, one store and a network that does what networks do, in a time of their own: the same seed gives the
//! same run, and an ideal clock sees whether two services ever work at once.
//!
//! A paused process does nothing, so it overlaps with nobody. Each planted rule has to be caught.

mod broken;
mod faults;
mod long;
mod network;
mod random;
mod replica;
mod report;
mod sound;
mod store;
mod world;

use std::ops::RangeInclusive;

use self::report::{Network, Plan, Report};
use self::world::World;

/// Returns a tenth of so many seeds, unless `STARTSTOP_PROGRAMS` asks for another share, or for more: the stage `random` of `.ci/run`
/// asks for all.
fn seeds(all: u64) -> RangeInclusive<u64> {
    let share = std::env::var("STARTSTOP_PROGRAMS").unwrap_or_else(|_| "1/10".to_owned());
    let (times, parts) = share.split_once('/').unwrap_or((&share, "1"));
    let number = |text: &str| text.parse::<u64>().expect("a number");
    1..=(all * number(times) / number(parts)).max(1)
}
