//! Sockets that a service manager has handed over, by name.

use std::io;
use std::net::{TcpListener, ToSocketAddrs, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::sync::Mutex;

use listenfd::ListenFd;
use sd_notify::NotifyState;

/// The name that systemd's own library gives to a socket that came without one.
const UNNAMED: &str = "unknown";

/// The sockets that the service manager has handed over, by name.
///
/// They are non-blocking, as tokio wants them, and closed in child processes. A socket unit names them by
/// `FileDescriptorName=`; without that the name is that of the unit, `http.socket`, which is found as `http` too. Where
/// several bear one name, they are taken one after another. Without any names each is called `unknown`. What nobody takes stays
/// open.
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

/// The sockets that are left, and the names by index.
struct Handed {
    sockets: ListenFd,
    names: Vec<String>,
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
        // Who has the variables of another process has inherited them.
        let ours =
            std::env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string());
        let sockets = if ours {
            ListenFd::from_env()
        } else {
            ListenFd::empty()
        };
        let names = match names {
            Some(names) => names.split(':').map(str::to_owned).collect(),
            None => vec![UNNAMED.to_owned(); sockets.len()],
        };
        Self {
            handed: Mutex::new(Handed { sockets, names }),
        }
    }

    /// Takes the TCP listener of that name.
    ///
    /// # Examples
    ///
    /// See [`Sockets`].
    pub fn take_tcp(&self, name: &str) -> Option<TcpListener> {
        self.take(
            name,
            ListenFd::take_tcp_listener,
            TcpListener::set_nonblocking,
        )
    }

    /// Takes the listener of that name on a Unix socket.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(startstop_host::Sockets::from_env().take_unix("control").is_none());
    /// ```
    pub fn take_unix(&self, name: &str) -> Option<UnixListener> {
        self.take(
            name,
            ListenFd::take_unix_listener,
            UnixListener::set_nonblocking,
        )
    }

    /// Takes the UDP socket of that name.
    ///
    /// # Examples
    ///
    /// ```
    /// assert!(startstop_host::Sockets::from_env().take_udp("dns").is_none());
    /// ```
    pub fn take_udp(&self, name: &str) -> Option<UdpSocket> {
        self.take(name, ListenFd::take_udp_socket, UdpSocket::set_nonblocking)
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
        let message = [NotifyState::FdStore, NotifyState::FdName(name)];
        sd_notify::notify_with_fds(&message, &[fd.as_fd()])
    }

    fn take<T>(
        &self,
        name: &str,
        take: impl Fn(&mut ListenFd, usize) -> io::Result<Option<T>>,
        set_nonblocking: impl Fn(&T, bool) -> io::Result<()>,
    ) -> Option<T> {
        let mut handed = self
            .handed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let Handed { sockets, names } = &mut *handed;
        let named = |found: &str| found == name || found.strip_suffix(".socket") == Some(name);
        let mut places = (0..sockets.len()).filter(|at| names.get(*at).is_some_and(|n| named(n)));
        // One of another kind stays where it is.
        let socket = places.find_map(|at| take(sockets, at).ok().flatten())?;
        set_nonblocking(&socket, true).ok()?;
        Some(socket)
    }
}

impl std::fmt::Debug for Handed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.names.iter().take(self.sockets.len()))
            .finish()
    }
}
