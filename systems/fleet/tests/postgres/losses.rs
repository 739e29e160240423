//! Connections that are lost in the middle of statements, again and again, on both sides of a pooler.

use std::thread;
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use super::Cluster;
use crate::server::eventually;

#[test]
fn backends_and_the_pooler_are_ended_again_and_again() {
    let cluster = Cluster::start("postgres-losses");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(cluster.store());
    let (mut bouncer, port) = cluster.bouncer();
    let mut fleet = cluster.three(port);
    fleet.leader_after(0);
    let others =
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()";
    for _ in 0..3 {
        for _ in 0..20 {
            runtime.block_on(cluster.run(others));
            thread::sleep(Duration::from_millis(50));
        }
        bouncer.stop(Signal::KILL);
        bouncer = cluster.bouncer_at(port);
        let written = fleet.log.len();
        eventually("somebody works", || fleet.log.len() > written + 100);
    }
    let leader = fleet.log.last().unwrap();
    fleet.after("killed", leader, |pid| {
        kill_process(pid, Signal::KILL).unwrap()
    });
    assert_eq!(fleet.log.refused().len(), 0);
    fleet.log.assert_sound();
}
