//! A node of etcd that is frozen keeps its watches open in silence, and the processes whose watch it has go on.

use std::process::Command;

use rustix::process::Signal;
use startstop_fleet::Etcd;

use crate::free_port::free_port;
use crate::server::{Folder, Server, eventually};
use crate::shards::{process, until};

/// Three nodes on one machine.
struct Cluster {
    nodes: Vec<Server>,
    urls: Vec<String>,
    _folder: Folder,
}

impl Cluster {
    fn start() -> Self {
        let folder = Folder::new("etcd-silence");
        let some = || -> Vec<String> {
            let url = |_| format!("http://127.0.0.1:{}", free_port());
            (0..3).map(url).collect()
        };
        let (urls, peers) = (some(), some());
        let all: Vec<_> = (0..3).map(|at| format!("n{at}={}", peers[at])).collect();
        let node = |at: usize| {
            Server::start(
                Command::new("etcd")
                    .args(["--name", &format!("n{at}"), "--data-dir"])
                    .arg(folder.0.join(format!("n{at}")))
                    .args(["--listen-client-urls", &urls[at]])
                    .args(["--advertise-client-urls", &urls[at]])
                    .args(["--listen-peer-urls", &peers[at]])
                    .args(["--initial-advertise-peer-urls", &peers[at]])
                    .args(["--initial-cluster", &all.join(",")]),
            )
        };
        let nodes = (0..3).map(node).collect();
        let is_well = |url: &String| {
            let health = Command::new("etcdctl")
                .env("ETCDCTL_API", "3")
                .args(["--endpoints", url, "endpoint", "health"])
                .output();
            health.unwrap().status.success()
        };
        eventually("all nodes answer", || urls.iter().all(is_well));
        Self {
            nodes,
            urls,
            _folder: folder,
        }
    }

    /// A store that begins with this node.
    async fn store(&self, node: usize) -> Etcd {
        let url = |at: usize| self.urls[(node + at) % 3].as_str();
        Etcd::connect((0..3).map(url)).await.unwrap()
    }
}

#[tokio::test]
async fn shards_of_one_that_leaves_are_taken_by_one_whose_watch_is_silent() {
    let cluster = Cluster::start();
    let stays = process(cluster.store(0).await);
    stays.start().await.unwrap();
    let mut owned = stays.service().owned();
    owned.wait_for(|owned| owned.len() == 4).await.unwrap();
    let goes = process(cluster.store(1).await);
    goes.start().await.unwrap();
    owned.wait_for(|owned| owned.len() == 2).await.unwrap();
    let mut others = goes.service().owned();
    others.wait_for(|owned| owned.len() == 2).await.unwrap();
    cluster.nodes[0].signal(Signal::STOP);
    goes.stop().await.unwrap();
    until("it has all shards", async || owned.borrow().len() == 4).await;
    cluster.nodes[0].signal(Signal::CONT);
    stays.stop().await.unwrap();
}
