//! etcd, which ends by the stop signal.

use startstop_process::{Process, Ready};

use crate::free_port::free_port;
use crate::support::{Folder, lives_and_ends};

fn etcd(folder: &Folder, client: u16) -> Process {
    let (client, peer) = (
        format!("http://127.0.0.1:{client}"),
        format!("http://127.0.0.1:{}", free_port()),
    );
    Process::new("etcd")
        .args([
            "--data-dir",
            &folder.path("data"),
            "--listen-client-urls",
            &client,
        ])
        .args([
            "--advertise-client-urls",
            &client,
            "--listen-peer-urls",
            &peer,
        ])
        .args([
            "--initial-advertise-peer-urls",
            &peer,
            "--initial-cluster",
            &format!("default={peer}"),
        ])
}

#[tokio::test]
async fn it_is_ready_by_its_port_and_by_its_message() {
    let folder = Folder::new("etcd");
    let port = free_port();
    lives_and_ends(etcd(&folder, port).ready(Ready::tcp(format!("127.0.0.1:{port}")))).await;
    let folder = Folder::new("etcd-notify");
    lives_and_ends(etcd(&folder, free_port()).ready(Ready::notify())).await;
}
