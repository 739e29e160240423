//! Datagrams to the manager. The socket may be abstract, which the crate that makes their text does not know.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicBool, Ordering};

use super::datagram::Datagram;

/// The socket of the manager.
#[derive(Debug)]
pub(super) struct Sender {
    addr: SocketAddr,
    /// Set in the old process once it is not the main one: its messages would be taken for those of the new one.
    silent: AtomicBool,
}

impl Sender {
    /// Reads a `NOTIFY_SOCKET`.
    pub(super) fn of(name: &OsStr) -> Result<Option<Self>, String> {
        let cannot = |why: &str| {
            format!(
                "notify: cannot use NOTIFY_SOCKET={}: {why}",
                name.to_string_lossy()
            )
        };
        let addr = match name.as_bytes() {
            [] => return Ok(None),
            [b'/', ..] => SocketAddr::from_pathname(name),
            [b'@', rest @ ..] => abstract_addr(rest),
            rest if rest.starts_with(b"vsock") => {
                return Err(cannot(
                    "sockets of virtual machines (vsock) are not supported",
                ));
            }
            _ => return Err(cannot("it begins with neither `/` nor `@`")),
        };
        addr.map(|addr| {
            Some(Self {
                addr,
                silent: AtomicBool::new(false),
            })
        })
        .map_err(|error| cannot(&error.to_string()))
    }

    /// Sends a datagram, without waiting: `WouldBlock` if the manager does not keep up.
    pub(super) fn send(&self, datagram: &Datagram) -> io::Result<()> {
        if self.silent.load(Ordering::Relaxed) {
            return Ok(());
        }
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.connect_addr(&self.addr)?;
        socket.send(datagram.to_string().as_bytes()).map(drop)
    }

    /// Makes a successor the main process of the unit, and says nothing more.
    #[cfg(feature = "handover")]
    pub(super) fn hand_over(&self, pid: u32) {
        if let Err(error) = self.send(&Datagram::main_pid(pid)) {
            crate::host::tell(&format!(
                "notify: cannot hand over to process {pid}: {error}"
            ));
        }
        self.silent.store(true, Ordering::Relaxed);
    }
}

#[cfg(target_os = "linux")]
fn abstract_addr(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_addr(_name: &[u8]) -> io::Result<SocketAddr> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "abstract sockets are those of Linux",
    ))
}
