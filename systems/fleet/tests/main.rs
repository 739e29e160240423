//! startstop-fleet on real servers, each started by the test that needs it.

mod by_hand;
mod cluster;
mod crowd;
mod dir;
mod etcd;
#[path = "../../../startstop-fleet/tests/replicas/fleet.rs"]
mod fleet;
#[path = "../../free_port.rs"]
mod free_port;
mod kubernetes;
mod load;
#[path = "../../../startstop-fleet/tests/replicas/log.rs"]
mod log;
mod names;
mod postgres;
mod runtimes;
#[path = "../../../startstop-fleet/tests/replicas/program.rs"]
#[allow(dead_code, reason = "it is for the program")]
mod program;
mod server;
mod shards;
mod silence;
