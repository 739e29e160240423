//! etcd: one node, killed, frozen, restarted and compacted.

mod endpoints;
mod rights;

use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use startstop_fleet::{Claim, Etcd, LeaseStore, StoreError, conformance};

use crate::fleet::Fleet;
use crate::free_port::free_port;
use crate::server::{Folder, PROGRAM, Server, eventually, take_over};

pub(crate) struct Node {
    folder: Folder,
    server: Server,
    pub(crate) url: String,
    peer: String,
}

impl Node {
    pub(crate) fn start(name: &str) -> Self {
        let folder = Folder::new(name);
        let url = format!("http://127.0.0.1:{}", free_port());
        let peer = format!("http://127.0.0.1:{}", free_port());
        let server = serve(&folder, &url, &peer);
        let node = Self {
            folder,
            server,
            url,
            peer,
        };
        node.answers();
        node
    }

    /// It is gone, with all that it had not written yet, until [`start_again`](Self::start_again).
    pub(crate) fn kill(&mut self) {
        self.server.stop(Signal::KILL);
    }

    pub(crate) fn start_again(&mut self) {
        self.server = serve(&self.folder, &self.url, &self.peer);
        self.answers();
    }

    pub(crate) fn addr(&self) -> std::net::SocketAddr {
        self.url.trim_start_matches("http://").parse().unwrap()
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
        self.start_again();
    }

    pub(crate) async fn freeze_for(&mut self, lasts: Duration) {
        self.server.signal(Signal::STOP);
        tokio::time::sleep(lasts).await;
        self.server.signal(Signal::CONT);
    }

    /// From now on it asks who is there: root may do all, `invoices` what our keys need, and `nobody` nothing.
    fn ask_for_names(&self) {
        self.know_names();
        assert!(self.control(&["auth", "enable"]));
    }

    fn know_names(&self) {
        for command in [
            "user add root:secret",
            "user grant-role root root",
            "role add leases",
            "role grant-permission leases --prefix=true readwrite startstop/",
            "user add invoices:p@ss",
            "user grant-role invoices leases",
            "user add nobody:nothing",
        ] {
            let arguments: Vec<&str> = command.split(' ').collect();
            assert!(self.control(&arguments), "{command}");
        }
    }

    async fn store(&self) -> Etcd {
        Etcd::connect([&*self.url]).await.unwrap()
    }

    fn three(&self) -> Fleet {
        let mut fleet = Fleet::new(self.folder.0.join("log"));
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
            .args([
                "--listen-peer-urls",
                peer,
                "--initial-advertise-peer-urls",
                peer,
            ])
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
    let held = store
        .take("invoices", &claim, seen.version())
        .await
        .unwrap();
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
    let held = store
        .take("invoices", &claim, seen.version())
        .await
        .unwrap();
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
    let held = store
        .take("invoices", &claim, seen.version())
        .await
        .unwrap();
    assert!(node.control(&["put", "startstop/invoices", "a"]));
    let renewed = store.renew("invoices", &held).await.unwrap();
    assert_eq!(
        (renewed.holder(), renewed.fence()),
        (Some("a"), held.fence())
    );
    eventually_free(&store).await;
}

#[tokio::test]
async fn a_key_that_was_put_by_hand_without_a_lease_is_taken_after_ours() {
    let node = Node::start("etcd-by-hand");
    assert!(node.control(&["put", "startstop/invoices", "ops"]));
    crate::by_hand::is_followed_and_taken(node.store().await).await;
}

/// Whoever grants a lease chooses its number.
#[tokio::test]
async fn a_key_whose_lease_has_a_negative_number_is_followed() {
    let node = Node::start("etcd-negative");
    let key = r#""key":"c3RhcnRzdG9wL2ludm9pY2Vz","value":"b3Bz""#; // startstop/invoices, ops
    for (path, body) in [
        ("lease/grant", r#"{"ID":"-7","TTL":"60"}"#.to_owned()),
        ("kv/put", format!(r#"{{{key},"lease":"-7"}}"#)),
    ] {
        let post = reqwest::Client::new().post(format!("{}/v3/{path}", node.url));
        let answer = post.body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }
    let store = node.store().await;
    let record = store.read("invoices").await.unwrap();
    assert_eq!((record.holder(), record.lease()), (Some("ops"), None));
    store.release("invoices", &record).await.unwrap();
    assert!(store.read("invoices").await.unwrap().is_free());
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
    assert!(
        matches!(nobody, Err(StoreError::Unavailable(_))),
        "{nobody:?}"
    );
    let nonsense = Etcd::connect(["10.0.0.1"]).await;
    let Err(StoreError::Refused(text)) = nonsense else {
        panic!("{nonsense:?}")
    };
    assert!(
        text.starts_with("\"10.0.0.1\" is no endpoint of etcd"),
        "{text}"
    );

    let (_server, addr) = crate::kubernetes::stand_in().await;
    let other = Etcd::connect([format!("http://{addr}")]).await;
    let Err(StoreError::Refused(text)) = other else {
        panic!("{other:?}")
    };
    assert!(text.contains("is this etcd 3.4 or later?"), "{text}");
}

/// Changes of others, and none of its own, wake who waits; and it is one watch all the time.
#[tokio::test]
async fn a_watch_is_kept_over_all_changes() {
    let node = Node::start("etcd-watch");
    let (one, two) = (node.store().await, node.store().await);
    let claim = Claim::new("a", Duration::from_secs(60));
    let mut seen = two.read("invoices").await.unwrap();
    for _ in 0..5 {
        let taken = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = one.read("invoices").await.unwrap();
            one.take("invoices", &claim, now.version()).await.unwrap()
        };
        let wait = async {
            loop {
                let told = two
                    .changed("invoices", seen.version())
                    .await
                    .unwrap()
                    .unwrap();
                seen = told;
                if !seen.is_free() {
                    return;
                }
            }
        };
        let (taken, ()) = tokio::join!(taken, wait);
        assert_eq!(seen, taken);
    }
    let text = reqwest::get(format!("{}/metrics", node.url))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let watches = text.lines().find(|line| {
        line.starts_with("grpc_server_started_total") && line.contains("grpc_method=\"Watch\"")
    });
    let watches = watches
        .and_then(|line| line.rsplit_once(' '))
        .map(|(_, count)| count);
    assert_eq!(watches, Some("1"));
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
    leader = fleet.log.last().unwrap_or(leader);
    node.server.signal(Signal::STOP);
    thread::sleep(Duration::from_secs(6)); // longer than a lease
    let silent = fleet.log.len();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(fleet.log.len(), silent, "without the store nobody leads");
    node.server.signal(Signal::CONT);
    leader = fleet.leader_after(leader.fence);
    assert!(node.control(&["compact", &leader.fence.to_string()]));
    fleet.after("killed", leader, |pid| {
        kill_process(pid, Signal::KILL).unwrap()
    });
    assert_eq!(fleet.log.refused().len(), 0);
    fleet.log.assert_sound();
}
