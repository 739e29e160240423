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

use self::report::{Network, Plan, Report};
use self::world::World;
