//! Ports for servers of tests.

use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

/// Returns a port that is nobody's, and no other test's, in whichever process it runs, until this process has ended. The
/// system gives none of these to a client, nor to who asks for any port.
pub(crate) fn free_port() -> u16 {
    // Not all begin at the same place, so that few have to look twice.
    let begin = std::process::id() * 100 % 20_000;
    let ports = (0..20_000).map(|n| 10_000 + (begin + n) % 20_000);
    let mut ports = ports.map(|port| u16::try_from(port).unwrap());
    let port =
        ports.find(|port| is_claimed(*port) && TcpListener::bind(("127.0.0.1", *port)).is_ok());
    port.expect("one of 20,000 ports is free")
}

/// Claims a port by a name that the system gives once, and takes back when this process ends. Whether nobody had it.
fn is_claimed(port: u16) -> bool {
    let name = SocketAddr::from_abstract_name(format!("startstop-port-{port}")).unwrap();
    UnixListener::bind_addr(&name).map(std::mem::forget).is_ok()
}
