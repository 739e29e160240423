//! A manager that does not keep up.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use startstop_core::{Context, Runner, service_fn};
use tokio::time::sleep;

use super::sender::Sender;
use super::{Manager, Notifier, Whose};
use crate::probes::Probes;

const FILLING: &[u8] = b"X_FULL=1";

/// Longer than any patience.
const LONG: Duration = Duration::from_secs(600);

/// Returns a socket of a manager that takes nothing more before somebody reads.
fn full(path: &Path) -> UnixDatagram {
    drop(std::fs::remove_file(path));
    let manager = UnixDatagram::bind(path).unwrap();
    manager.set_nonblocking(true).unwrap();
    fill(path);
    manager
}

fn fill(path: &Path) {
    let other = UnixDatagram::unbound().unwrap();
    other.set_nonblocking(true).unwrap();
    let send = || other.send_to(FILLING, path);
    let refused = std::iter::repeat_with(send).find_map(Result::err);
    assert_eq!(refused.unwrap().kind(), io::ErrorKind::WouldBlock);
}

/// Reads until there is a datagram with this line.
async fn hear_of(manager: &UnixDatagram, line: &str) {
    let mut bytes = [0; 4096];
    loop {
        match manager.recv(&mut bytes) {
            Ok(length) => {
                let told = String::from_utf8_lossy(&bytes[..length]);
                if told.lines().any(|found| found == line) {
                    return;
                }
            }
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

fn notifier(path: &Path, probes: &Probes) -> Notifier {
    let socket = Sender::of(path.as_os_str()).unwrap().map(Arc::new);
    let manager = Manager {
        socket,
        fd: None,
        whose: Whose::Named,
    };
    manager.part(probes).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_manager_that_does_not_keep_up_hears_what_it_has_to_once_it_does() {
    let path = std::env::temp_dir().join(format!("startstop-late-{}", std::process::id()));
    let manager = full(&path);
    let runner = Runner::new(service_fn(async |cx: Context| cx.cancelled().await));
    let told = Runner::new(notifier(&path, &Probes::of(&runner)));
    told.start().await.unwrap();
    runner.start().await.unwrap();
    sleep(LONG).await;
    assert_eq!(told.status().failures(), 1, "it is told of once");
    hear_of(&manager, "READY=1").await;

    fill(&path);
    runner.stop().await.unwrap();
    sleep(LONG).await;
    hear_of(&manager, "STOPPING=1").await;
    told.stop().await.unwrap();
    drop(std::fs::remove_file(&path));
}
