//! Three nodes of etcd, each with a replica beside it, in network namespaces on a bridge: cables are cut, nodes are killed and frozen.

use std::process::Command;
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::fleet::{Fleet, process};
use crate::log::Entry;
use crate::program::TIMING;
use crate::server::{Folder, PROGRAM, Server, eventually};

const NODES: usize = 3;

/// A bridge, and a namespace with a cable to it for each node. They go with it.
struct Net {
    /// What all names begin with: short, for names of devices are.
    name: String,
    /// Of the addresses, for several at once.
    third: u8,
}

#[track_caller]
fn ip(arguments: &str) {
    let status = Command::new("ip")
        .args(arguments.split(' '))
        .status()
        .unwrap();
    assert!(status.success(), "ip {arguments}");
}

impl Net {
    fn new(number: u8) -> Self {
        let third = u8::try_from(std::process::id() % 50).unwrap() * 5 + number;
        let net = Self {
            name: format!("ssf{}", u32::from(third)),
            third,
        };
        let name = &net.name;
        ip(&format!("link add {name}b type bridge"));
        ip(&format!("link set {name}b up"));
        for node in 0..NODES {
            let (space, cable) = (net.space(node), net.cable(node));
            ip(&format!("netns add {space}"));
            ip(&format!(
                "link add {cable} type veth peer name eth0 netns {space}"
            ));
            ip(&format!("link set {cable} master {name}b"));
            ip(&format!("link set {cable} up"));
            ip(&format!(
                "-n {space} address add {}/24 dev eth0",
                net.address(node)
            ));
            ip(&format!("-n {space} link set eth0 up"));
            ip(&format!("-n {space} link set lo up"));
        }
        net
    }

    fn space(&self, node: usize) -> String {
        format!("{}n{node}", self.name)
    }

    fn cable(&self, node: usize) -> String {
        format!("{}c{node}", self.name)
    }

    fn address(&self, node: usize) -> String {
        format!("10.213.{}.{}", self.third, node + 1)
    }

    fn cut(&self, node: usize) {
        ip(&format!("link set {} down", self.cable(node)));
    }

    fn mend(&self, node: usize) {
        ip(&format!("link set {} up", self.cable(node)));
    }

    /// A command in the namespace of a node.
    fn at(&self, node: usize, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(node), program]);
        command
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        for node in 0..NODES {
            Command::new("ip")
                .args(["netns", "delete", &self.space(node)])
                .status()
                .ok();
        }
        Command::new("ip")
            .args(["link", "delete", &format!("{}b", self.name)])
            .status()
            .ok();
    }
}

struct Cluster {
    nodes: Vec<Server>,
    fleet: Fleet,
    net: Net,
    folder: Folder,
}

impl Cluster {
    fn start(number: u8, name: &str) -> Self {
        let (net, folder) = (Net::new(number), Folder::new(name));
        let fleet = Fleet::new(folder.0.join("log"));
        let mut cluster = Self {
            nodes: Vec::new(),
            fleet,
            net,
            folder,
        };
        for node in 0..NODES {
            let server = cluster.serve(node);
            cluster.nodes.push(server);
        }
        cluster.gets_well();
        for node in 0..NODES {
            cluster.join(node);
        }
        cluster
    }

    fn serve(&self, node: usize) -> Server {
        let url = |node, port| format!("http://{}:{port}", self.net.address(node));
        let peers: Vec<_> = (0..NODES)
            .map(|node| format!("n{node}={}", url(node, 2380)))
            .collect();
        let mut command = self.net.at(node, "etcd");
        command.args(["--name", &format!("n{node}"), "--data-dir"]);
        command.arg(self.folder.0.join(format!("etcd{node}")));
        command.args(["--listen-client-urls", &url(node, 2379)]);
        command.args(["--advertise-client-urls", &url(node, 2379)]);
        command.args(["--listen-peer-urls", &url(node, 2380)]);
        command.args(["--initial-advertise-peer-urls", &url(node, 2380)]);
        command.args(["--initial-cluster", &peers.join(",")]);
        Server::start(&mut command)
    }

    /// What `etcdctl` says, asked at a node.
    fn control(&self, node: usize, arguments: &[&str]) -> Option<String> {
        let mut command = self.net.at(node, "etcdctl");
        command.env("ETCDCTL_API", "3");
        command.args([
            "--endpoints",
            &format!("http://{}:2379", self.net.address(node)),
        ]);
        let output = command.args(arguments).output().unwrap();
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn gets_well(&self) {
        let is_well = |node| self.control(node, &["endpoint", "health"]).is_some();
        eventually("all nodes answer", || (0..NODES).all(is_well));
    }

    /// Waits until somebody has worked for a while.
    fn works_on(&self) {
        let written = self.fleet.log.len();
        eventually("somebody works", || self.fleet.log.len() > written + 100);
    }

    /// The node that leads in etcd.
    fn leading_node(&self) -> usize {
        let is_leader = |node: &usize| {
            let status = self
                .control(*node, &["endpoint", "status"])
                .unwrap_or_default();
            status.split(", ").nth(4) == Some("true")
        };
        (0..NODES).find(is_leader).expect("one leads")
    }

    /// A replica at a node, which knows all nodes and begins with its own.
    fn join(&mut self, node: usize) {
        let url = |at: usize| format!("http://{}:2379", self.net.address((node + at) % NODES));
        let urls: Vec<_> = (0..NODES).map(url).collect();
        let mut command = self.net.at(node, PROGRAM);
        self.fleet
            .join_by(command.arg(format!("etcd:{}", urls.join(","))));
    }

    /// Cuts the cable of the node where the leader is, until another one has taken over.
    fn cut_leader(&mut self, leader: Entry) -> Entry {
        let node = self.fleet.place(leader.pid);
        let net = &self.net;
        let next = self.fleet.after("its cable cut", leader, |_| net.cut(node));
        self.net.mend(node);
        next
    }
}

/// etcd gives a lease its whole time again when another node leads there, which takes it a second or two.
const ELECTED: Duration = Duration::from_secs(2 + 4);

#[test]
fn a_leader_whose_cable_is_cut_has_ended_before_another_begins() {
    let mut cluster = Cluster::start(0, "cluster-cut");
    let mut leader = cluster.fleet.leader_after(0);
    for _ in 0..2 {
        leader = cluster.cut_leader(leader);
        cluster
            .fleet
            .assert_taken_within(TIMING.failover() + ELECTED);
        cluster.gets_well();
    }
    assert_eq!(cluster.fleet.log.refused().len(), 0);
    cluster.fleet.log.assert_sound();
}

#[test]
fn nodes_are_killed_frozen_and_started_again() {
    let mut cluster = Cluster::start(1, "cluster-nodes");
    let leader = cluster.fleet.leader_after(0);

    let node = cluster.leading_node();
    cluster.nodes[node].stop(Signal::KILL);
    cluster.works_on();
    cluster.nodes[node] = cluster.serve(node);
    cluster.gets_well();

    // While the first of etcd's nodes is frozen, ours is killed.
    let node = cluster.leading_node();
    cluster.nodes[node].signal(Signal::STOP);
    cluster.works_on();
    let leader = cluster.fleet.log.last().unwrap_or(leader);
    cluster.fleet.after("killed", leader, |pid| {
        kill_process(pid, Signal::KILL).unwrap()
    });
    // A follower that listened to the frozen node finds out after a lease.
    cluster
        .fleet
        .assert_taken_within(TIMING.failover() + TIMING.lease + ELECTED);
    cluster.nodes[node].signal(Signal::CONT);
    assert_eq!(cluster.fleet.log.refused().len(), 0);
    cluster.fleet.log.assert_sound();
}

#[test]
fn a_frozen_leader_in_a_cluster_writes_late_and_is_refused() {
    let mut cluster = Cluster::start(2, "cluster-frozen");
    let frozen = cluster.fleet.leader_after(0);
    cluster.fleet.after("frozen", frozen, |pid| {
        kill_process(pid, Signal::STOP).unwrap()
    });
    cluster.fleet.wake(frozen);
    cluster.fleet.log.assert_sound();
    // All of the processes are ours.
    assert!(
        cluster
            .fleet
            .log
            .entries()
            .iter()
            .all(|entry| process(entry.pid) != process(1))
    );
}
