//! startstop-fleet on real servers, each started by the test that needs it.

mod etcd;
#[path = "../../../startstop-fleet/tests/replicas/fleet.rs"]
mod fleet;
mod kubernetes;
mod postgres;
mod server;
