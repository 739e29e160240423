//! The shop on real servers: what it does when they come and go, when it is told to read its files again, and when it is rolled out.

mod balancer;
mod certificates;
mod clients;
mod deploy;
mod exits;
#[path = "../../../systems/free_port.rs"]
mod free_port;
mod health;
mod libraries;
mod outages;
mod program;
mod reload;
mod rolling;
mod servers;
