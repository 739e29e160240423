//! One name with two addresses, of which the one in use freezes: leaders go on by the other one without a loss.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::fleet::{Fleet, process};
use crate::program::TIMING;
use crate::server::{Folder, PROGRAM, eventually};

const NAME: &str = "several.test";

const ADDRESSES: [&str; 2] = ["127.0.0.2", "127.0.0.3"];

/// An address of a server that can be frozen: connections stay open, new ones are taken, and nothing goes through.
#[derive(Clone)]
struct Address {
    frozen: Arc<AtomicBool>,
    used: Arc<AtomicUsize>,
}

impl Address {
    fn of(server: SocketAddr, ip: &str) -> Self {
        let listener = TcpListener::bind((ip, server.port())).unwrap();
        let address = Self {
            frozen: Arc::default(),
            used: Arc::default(),
        };
        let this = address.clone();
        thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                this.used.fetch_add(1, Ordering::SeqCst);
                if this.frozen.load(Ordering::SeqCst) {
                    std::mem::forget(near);
                    continue;
                }
                let far = TcpStream::connect(server).unwrap();
                let pairs = [
                    (near.try_clone().unwrap(), far.try_clone().unwrap()),
                    (far, near),
                ];
                for (from, to) in pairs {
                    let frozen = this.frozen.clone();
                    thread::spawn(move || pass(from, to, &frozen));
                }
            }
        });
        address
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, frozen: &AtomicBool) {
    let mut bytes = [0; 4096];
    while let Ok(some @ 1..) = from.read(&mut bytes) {
        if frozen.load(Ordering::SeqCst) {
            // Neither an end nor anything else is told.
            std::mem::forget((from, to));
            return;
        }
        if to.write_all(&bytes[..some]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Write).ok();
}

/// A replica for which the name has both addresses.
fn replica(folder: &Folder, store: &str) -> Command {
    let hosts = folder.0.join("hosts");
    let lines = ADDRESSES.map(|ip| format!("{ip} {NAME}\n")).concat();
    std::fs::write(&hosts, format!("127.0.0.1 localhost\n{lines}")).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c"])
        .arg("mount --bind \"$0\" /etc/hosts && exec \"$@\"")
        .arg(&hosts)
        .args([PROGRAM, store]);
    command
}

/// `server` is what `store` names by [`NAME`].
fn a_frozen_address_is_no_loss(folder: &Folder, server: SocketAddr, store: &str) {
    let addresses = ADDRESSES.map(|ip| Address::of(server, ip));
    let mut fleet = Fleet::new(folder.0.join("log"));
    fleet.join_by(&mut replica(folder, store));
    let leader = fleet.leader_after(0);
    let used = |address: &&Address| address.used.load(Ordering::SeqCst) > 0;
    let first = addresses.iter().find(used).unwrap();
    first.frozen.store(true, Ordering::SeqCst);
    let frozen = fleet.log.len();
    eventually("it works on for a lease", || {
        let works = TIMING.lease.as_millis() / 10;
        fleet.log.len() as u128 > frozen as u128 + works
    });
    thread::sleep(TIMING.renew_by);
    assert_eq!(fleet.log.last().unwrap().fence, leader.fence, "it was lost");
    // One that comes now begins with the frozen address.
    fleet.join_by(&mut replica(folder, store));
    thread::sleep(Duration::from_secs(1));
    kill_process(process(leader.pid), Signal::TERM).unwrap();
    let next = fleet.leader_after(leader.fence);
    assert_ne!(next.pid, leader.pid);
    fleet.log.assert_sound();
}

#[test]
fn an_address_of_etcd_that_freezes_is_no_loss() {
    let node = crate::etcd::Node::start("names-etcd");
    let folder = Folder::new("names-etcd-log");
    let store = format!("etcd:http://{NAME}:{}", node.addr().port());
    a_frozen_address_is_no_loss(&folder, node.addr(), &store);
}

#[test]
fn an_address_of_postgres_that_freezes_is_no_loss() {
    let (_cluster, port) = crate::postgres::running("names-postgres");
    let folder = Folder::new("names-postgres-log");
    let user = crate::postgres::USER;
    let store = format!("postgres:postgres://{user}@{NAME}:{port}/postgres");
    a_frozen_address_is_no_loss(&folder, ([127, 0, 0, 1], port).into(), &store);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_kubernetes_that_freezes_is_no_loss() {
    let (_server, addr) = crate::kubernetes::stand_in().await;
    let folder = Folder::new("names-kubernetes");
    let path = folder.0.join("config");
    let server = format!("{NAME}:{}", addr.port());
    std::fs::write(&path, crate::kubernetes::kubeconfig(&server, "all")).unwrap();
    let store = format!("kubernetes:{}", path.display());
    let test = move || a_frozen_address_is_no_loss(&folder, addr, &store);
    tokio::task::spawn_blocking(test).await.unwrap();
}
