//! Datagrams to the manager. The socket may be abstract, which the crate that makes their text does not know; and it is made once, so
//! that a process without a descriptor left still tells.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use tokio::sync::watch;

use super::datagram::Datagram;

/// The socket of the manager.
#[derive(Debug)]
pub(super) struct Sender {
    /// Connected to nobody: a manager that begins anew has a new socket at the same address.
    socket: UnixDatagram,
    addr: SocketAddr,
    /// Whether this process is the main one of the unit, so that what it says is taken for what the unit says: a successor is not
    /// yet, and a predecessor not any more. Only the main one is heard.
    is_main: watch::Sender<bool>,
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
        addr.and_then(Self::to)
            .map(Some)
            .map_err(|error| cannot(&error.to_string()))
    }

    fn to(addr: SocketAddr) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            addr,
            is_main: watch::Sender::new(true),
        })
    }

    /// Makes it the sender of a successor, which is not the main process yet.
    pub(super) fn of_successor(self) -> Self {
        self.is_main.send_replace(false);
        self
    }

    /// Sends a datagram, without waiting: `WouldBlock` if the manager does not keep up.
    pub(super) fn send(&self, datagram: &Datagram) -> io::Result<()> {
        if !*self.is_main.borrow() {
            return Ok(());
        }
        let text = datagram.to_string();
        let sent = self.socket.send_to_addr(text.as_bytes(), &self.addr);
        sent.map(drop)
    }

    /// Waits until this process is the main one of the unit.
    pub(super) async fn is_main(&self) {
        // The sender is not dropped meanwhile.
        drop(self.is_main.subscribe().wait_for(|main| *main).await);
    }

    #[cfg(feature = "handover")]
    pub(super) fn take_over(&self) {
        self.is_main.send_replace(true);
    }

    /// Makes a successor the main process of the unit, and says nothing more. A manager that does not keep up is waited for: it would take
    /// the end of this process for that of the unit.
    #[cfg(feature = "handover")]
    pub(super) async fn hand_over(&self, pid: u32) {
        let told = loop {
            match self.send(&Datagram::main_pid(pid)) {
                Err(error) if super::is_full(&error) => tokio::time::sleep(super::AGAIN).await,
                told => break told,
            }
        };
        if let Err(error) = told {
            crate::host::tell_aside(&format!(
                "notify: cannot hand over to process {pid}: {error}"
            ));
        }
        self.is_main.send_replace(false);
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
