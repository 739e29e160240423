//! Sockets that a service manager has handed over, by name.

use std::io;
use std::net::{TcpListener, ToSocketAddrs, UdpSocket};
use std::os::fd::{AsFd, IntoRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::os::unix::process::parent_id;
use std::sync::{Mutex, PoisonError};

use listenfd::ListenFd;
use sd_notify::NotifyState;

use crate::child::LISTEN_PPID;

/// The name that systemd's own library gives to a socket that came without one.
const UNNAMED: &str = "unknown";

/// No process has more descriptors on Linux (`fs.nr_open`): a larger number would cost memory alone.
const MOST: u32 = 1 << 20;

/// The sockets that the service manager has handed over, by name.
///
/// They are non-blocking, as tokio wants them, and closed in child processes. A socket unit names them by
/// `FileDescriptorName=`; without that the name is that of the unit, `http.socket`, which is found as `http` too. Where
/// several bear one name, they are taken one after another. A socket without a name is called `unknown`. What nobody takes stays
/// open, but not in child processes, and so do pipes, files and sockets of other kinds, whatever was handed over.
///
/// # Examples
///
/// ```
/// use startstop_host::Sockets;
///
/// # fn main() -> std::io::Result<()> {
/// let sockets = Sockets::from_env(); // nothing was handed over
/// assert!(sockets.take_tcp("http").is_none());
/// let listener = sockets.tcp_or_bind("http", "127.0.0.1:0")?;
/// assert!(listener.accept().is_err()); // nobody there, and it does not wait
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sockets {
    handed: Mutex<Handed>,
}

/// The sockets that are left, by their names.
type Handed = Vec<(String, AnySocket)>;

/// A socket that was handed over. Each is closed in child processes from the beginning, whether somebody takes it or not.
enum AnySocket {
    Tcp(TcpListener),
    Unix(UnixListener),
    Udp(UdpSocket),
    Datagram(UnixDatagram),
}

impl Sockets {
    /// Takes what was handed over to this process. A second call finds nothing: each socket has one owner.
    ///
    /// The variables that tell of the sockets are removed, so call it first in `main`.
    ///
    /// # Examples
    ///
    /// See [`Sockets`].
    pub fn from_env() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").ok();
        // Variables for another process id were inherited; they are not meant for this process.
        let ours = is_pid("LISTEN_PID", std::process::id())
            || std::env::var_os("LISTEN_PID").is_none() && is_pid(LISTEN_PPID, parent_id());
        let can_be = number("LISTEN_FDS").is_some_and(|count| count <= MOST);
        let mut sockets = if ours && can_be {
            // It closes them in child processes, all kinds of them: pipes and files too, which nobody can take here. One that
            // is not open ends it; the sockets behind that are closed there when they are looked at.
            drop(sd_notify::listen_fds());
            ListenFd::from_env()
        } else {
            ListenFd::empty()
        };
        let mut names: Vec<String> = names
            .map(|names| names.split(':').map(str::to_owned).collect())
            .unwrap_or_default();
        names.resize(sockets.len(), UNNAMED.to_owned());
        let names = names.into_iter().enumerate();
        let handed = names.filter_map(|(at, name)| Some((name, AnySocket::of(&mut sockets, at)?)));
        Self {
            handed: Mutex::new(handed.collect()),
        }
    }

    /// Takes the TCP listener of that name.
    ///
    /// # Examples
    ///
    /// See [`Sockets`].
    pub fn take_tcp(&self, name: &str) -> Option<TcpListener> {
        let AnySocket::Tcp(listener) =
            self.take(name, |socket| matches!(socket, AnySocket::Tcp(_)))?
        else {
            return None;
        };
        listener.set_nonblocking(true).ok()?;
        Some(listener)
    }

    /// Takes the listener of that name on a Unix socket.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(startstop_host::Sockets::from_env().take_unix("control").is_none());
    /// ```
    pub fn take_unix(&self, name: &str) -> Option<UnixListener> {
        let AnySocket::Unix(listener) =
            self.take(name, |socket| matches!(socket, AnySocket::Unix(_)))?
        else {
            return None;
        };
        listener.set_nonblocking(true).ok()?;
        Some(listener)
    }

    /// Takes the UDP socket of that name.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(startstop_host::Sockets::from_env().take_udp("dns").is_none());
    /// ```
    pub fn take_udp(&self, name: &str) -> Option<UdpSocket> {
        let AnySocket::Udp(socket) =
            self.take(name, |socket| matches!(socket, AnySocket::Udp(_)))?
        else {
            return None;
        };
        socket.set_nonblocking(true).ok()?;
        Some(socket)
    }

    /// Takes the TCP listener of that name, or binds one to `addr` where none was handed over.
    ///
    /// # Examples
    ///
    /// See [`Sockets`].
    ///
    /// # Errors
    ///
    /// The errors of the bind.
    pub fn tcp_or_bind(&self, name: &str, addr: impl ToSocketAddrs) -> io::Result<TcpListener> {
        if let Some(listener) = self.take_tcp(name) {
            return Ok(listener);
        }
        let listener = TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// Puts a socket into the store of the service manager (`FileDescriptorStoreMax=`), which hands it over to the
    /// next run of the program. Without a service manager it does nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_host::Sockets;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let sockets = Sockets::from_env();
    /// let listener = sockets.tcp_or_bind("http", "127.0.0.1:0")?;
    /// sockets.store("http", &listener)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the manager cannot be reached, or if the name is empty, is longer than 255 bytes, or contains a control character
    /// or `:`.
    pub fn store(&self, name: &str, fd: impl AsFd) -> io::Result<()> {
        let wrong = |c: char| c == ':' || !c.is_ascii() || c.is_ascii_control();
        if name.is_empty() || name.len() > 255 || name.contains(wrong) {
            let message = format!("{name:?} is no name for a stored socket");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let manager = std::env::var_os("NOTIFY_SOCKET").filter(|manager| !manager.is_empty());
        if let Some(manager) = manager.filter(|manager| !manager.as_bytes().starts_with(b"/")) {
            let message = format!(
                "descriptors can be stored by a NOTIFY_SOCKET that is a file, and not by {}",
                manager.to_string_lossy()
            );
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        let message = [NotifyState::FdStore, NotifyState::FdName(name)];
        sd_notify::notify_with_fds(&message, &[fd.as_fd()])
    }

    /// Takes the first socket of that name and kind. One of another kind stays where it is.
    fn take(&self, name: &str, is_meant: impl Fn(&AnySocket) -> bool) -> Option<AnySocket> {
        let mut handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner);
        let named = |found: &str| found == name || found.strip_suffix(".socket") == Some(name);
        let at = handed
            .iter()
            .position(|(found, socket)| named(found) && is_meant(socket))?;
        Some(handed.remove(at).1)
    }
}

fn is_pid(variable: &str, pid: u32) -> bool {
    std::env::var(variable).is_ok_and(|found| found == pid.to_string())
}

fn number(variable: &str) -> Option<u32> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Closes what was handed over to this process, whose child has it: a listener that only the child closes goes on to listen.
#[cfg(all(target_os = "linux", feature = "init"))]
pub(crate) fn close_all() {
    let sockets = Sockets::from_env();
    let mut handed = sockets
        .handed
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    handed.clear();
}

impl Drop for Sockets {
    fn drop(&mut self) {
        let handed = self
            .handed
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        for (_, socket) in handed.drain(..) {
            socket.leave_open();
        }
    }
}

impl AnySocket {
    /// Takes a socket out of those that were handed over. What is none is left alone.
    fn of(sockets: &mut ListenFd, at: usize) -> Option<Self> {
        let tcp = |sockets: &mut ListenFd| sockets.take_tcp_listener(at).ok().flatten();
        let unix = |sockets: &mut ListenFd| sockets.take_unix_listener(at).ok().flatten();
        let udp = |sockets: &mut ListenFd| sockets.take_udp_socket(at).ok().flatten();
        let datagram = |sockets: &mut ListenFd| sockets.take_unix_datagram(at).ok().flatten();
        (tcp(sockets).map(Self::Tcp))
            .or_else(|| unix(sockets).map(Self::Unix))
            .or_else(|| udp(sockets).map(Self::Udp))
            .or_else(|| datagram(sockets).map(Self::Datagram))
    }

    fn leave_open(self) {
        let _: RawFd = match self {
            Self::Tcp(listener) => listener.into_raw_fd(),
            Self::Unix(listener) => listener.into_raw_fd(),
            Self::Udp(socket) => socket.into_raw_fd(),
            Self::Datagram(socket) => socket.into_raw_fd(),
        };
    }
}

impl std::fmt::Debug for AnySocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tcp(_) => "tcp",
            Self::Unix(_) => "unix",
            Self::Udp(_) => "udp",
            Self::Datagram(_) => "datagram",
        })
    }
}
