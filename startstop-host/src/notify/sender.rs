//! Datagrams to the manager. The socket may be abstract, which the crate that makes their text does not know.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use super::machine::Datagram;

/// Where the manager listens.
#[derive(Debug)]
pub(super) struct Sender {
    addr: SocketAddr,
}

impl Sender {
    /// Reads a `NOTIFY_SOCKET`.
    pub(super) fn of(name: &OsStr) -> Result<Option<Self>, String> {
        let cannot = |why: &str| {
            format!("notify: cannot use NOTIFY_SOCKET={}: {why}", name.to_string_lossy())
        };
        let addr = match name.as_bytes() {
            [] => return Ok(None),
            [b'/', ..] => SocketAddr::from_pathname(name),
            [b'@', rest @ ..] => abstract_addr(rest),
            rest if rest.starts_with(b"vsock") => {
                return Err(cannot("sockets of virtual machines (vsock) are not supported"));
            }
            _ => return Err(cannot("it begins with neither `/` nor `@`")),
        };
        addr.map(|addr| Some(Self { addr })).map_err(|error| cannot(&error.to_string()))
    }

    /// Sends a datagram, without waiting: `WouldBlock` if the manager does not keep up.
    pub(super) fn send(&self, datagram: &Datagram) -> io::Result<()> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect_addr(&self.addr)?;
        socket.send(datagram.to_string().as_bytes()).map(drop)
    }
}

#[cfg(target_os = "linux")]
fn abstract_addr(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_addr(_name: &[u8]) -> io::Result<SocketAddr> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "abstract sockets are those of Linux"))
}
