//! etcd: one node, killed, frozen, restarted and compacted.

use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use startstop_fleet::{Claim, Etcd, LeaseStore, StoreError, conformance};

use crate::fleet::Fleet;
use crate::server::{Folder, PROGRAM, Server, eventually, free_port, take_over};

struct Node {
    folder: Folder,
    server: Server,
    url: String,
    peer: String,
}

impl Node {
    fn start(name: &str) -> Self {
        let folder = Folder::new(name);
        let url = format!("http://127.0.0.1:{}", free_port());
        let peer = format!("http://127.0.0.1:{}", free_port());
        let server = serve(&folder, &url, &peer);
        let node = Self { folder, server, url, peer };
        node.answers();
        node
    }

    fn answers(&self) {
        eventually("etcd answers", || self.control(&["endpoint", "health"]));
    }

    fn control(&self, arguments: &[&str]) -> bool {
        let output = Command::new("etcdctl")
            .env("ETCDCTL_API", "3")
            .args(["--endpoints", &self.url])
            .args(arguments)
            .output()
            .unwrap();
        output.status.success()
    }

    fn restart(&mut self, signal: Signal) {
        self.server.stop(signal);
        self.server = serve(&self.folder, &self.url, &self.peer);
        self.answers();
    }

    async fn store(&self) -> Etcd {
        Etcd::connect([&*self.url]).await.unwrap()
    }

    fn three(&self) -> Fleet {
        let mut fleet = Fleet::new(self.folder.0.join("journal"));
        for _ in 0..3 {
            fleet.join(PROGRAM, &format!("etcd:{}", self.url));
        }
        fleet
    }
}

fn serve(folder: &Folder, url: &str, peer: &str) -> Server {
    Server::start(
        Command::new("etcd")
            .arg("--data-dir")
            .arg(folder.0.join("etcd"))
            .args(["--listen-client-urls", url, "--advertise-client-urls", url])
            .args(["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer])
            .args(["--initial-cluster", &format!("default={peer}")]),
    )
}

#[tokio::test]
async fn etcd_conforms() {
    let node = Node::start("etcd-conforms");
    let breaches =
        conformance::check(&node.store().await, &node.store().await, "conformance").await;
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[tokio::test]
async fn a_key_goes_with_its_lease() {
    let node = Node::start("etcd-lease");
    let store = node.store().await;
    let seen = store.read("invoices").await.unwrap();
    let claim = Claim::new("a", Duration::from_secs(2));
    let held = store.take("invoices", &claim, seen.version()).await.unwrap();
    let told = store.changed("invoices", held.version()).await.unwrap();
    assert!(told.is_some_and(|record| record.is_free()));
    let late = store.renew("invoices", &held).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
}

/// The lease lives on when the key is deleted by hand, and a keepalive alone would not notice.
#[tokio::test]
async fn a_key_that_was_deleted_by_hand_is_not_renewed() {
    let node = Node::start("etcd-deleted");
    let store = node.store().await;
    let claim = Claim::new("a", Duration::from_secs(60));
    let seen = store.read("invoices").await.unwrap();
    let held = store.take("invoices", &claim, seen.version()).await.unwrap();
    assert!(node.control(&["del", "startstop/invoices"]));
    let renewed = store.renew("invoices", &held).await;
    assert!(matches!(renewed, Err(StoreError::Conflict)), "{renewed:?}");
}

/// Somebody has written the value that was there, and so has cut the key off its lease.
#[tokio::test]
async fn a_key_that_was_written_by_hand_is_bound_to_its_lease_again() {
    let node = Node::start("etcd-written");
    let store = node.store().await;
    let claim = Claim::new("a", Duration::from_secs(2));
    let seen = store.read("invoices").await.unwrap();
    let held = store.take("invoices", &claim, seen.version()).await.unwrap();
    assert!(node.control(&["put", "startstop/invoices", "a"]));
    let renewed = store.renew("invoices", &held).await.unwrap();
    assert_eq!((renewed.holder(), renewed.fence()), (Some("a"), held.fence()));
    eventually_free(&store).await;
}

async fn eventually_free(store: &Etcd) {
    for _ in 0..600 {
        if store.read("invoices").await.unwrap().is_free() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not free in a minute");
}

#[tokio::test]
async fn what_is_no_etcd_is_refused_in_words() {
    let nobody = Etcd::connect([format!("http://127.0.0.1:{}", free_port())]).await;
    assert!(matches!(nobody, Err(StoreError::Unavailable(_))), "{nobody:?}");
}

#[tokio::test]
async fn a_name_without_rights_is_refused_in_words() {
    let node = Node::start("etcd-rights");
    for command in
        ["user add root:secret", "user grant-role root root", "role add nothing", "auth enable"]
    {
        let arguments: Vec<&str> = command.split(' ').collect();
        assert!(node.control(&arguments), "{command}");
    }
    let store = Etcd::with_client([&*node.url], Default::default()).unwrap();
    let checked = store.check("invoices").await;
    let Err(StoreError::Refused(text)) = checked else { panic!("{checked:?}") };
    assert!(text.contains("etcd says"), "{text}");
}

#[test]
fn replicas_take_over_when_the_leader_is_killed_stopped_or_frozen() {
    let node = Node::start("etcd-replicas");
    take_over(node.three(), &format!("etcd:{}", node.url));
}

#[test]
fn etcd_itself_is_killed_frozen_restarted_and_compacted() {
    let mut node = Node::start("etcd-itself");
    let mut fleet = node.three();
    let mut leader = fleet.leader_after(0);
    node.restart(Signal::KILL);
    thread::sleep(Duration::from_secs(1));
    leader = *fleet.writes().last().unwrap_or(&leader);
    node.server.signal(Signal::STOP);
    thread::sleep(Duration::from_secs(6)); // longer than a lease
    let silent = fleet.writes().len();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(fleet.writes().len(), silent, "without the store nobody leads");
    node.server.signal(Signal::CONT);
    leader = fleet.leader_after(leader.fence);
    assert!(node.control(&["compact", &leader.fence.to_string()]));
    fleet.after("killed", leader, |pid| kill_process(pid, Signal::KILL).unwrap());
    assert_eq!(fleet.late(), 0);
    fleet.assert_one_process_a_fence();
}
