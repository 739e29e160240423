//! A new process that takes over from an old one, with its listeners.
//!
//! 1. The old one is told only when the new one is ready and its socket is in place: at the path there is always one that answers.
//! 2. Until then the old one runs as if nothing had been; a connection that ends before is a successor that has died.
//! 3. Who waits for the other one hears from it each second. One that is silent for 5 s is frozen: a predecessor is an error, and
//!    a successor is given up, and ends when it wakes.

mod alive;
mod place;
mod queue;
mod serve;
mod wire;

use std::io;
use std::net::{TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

#[cfg(feature = "notify")]
use crate::notify::Whose;
use crate::sockets::Sockets;

use wire::{Named, Predecessor};

/// How often, and for how long, one that closes the connection is asked again: it is about to be replaced.
const AGAIN: Duration = Duration::from_millis(20);
const TIMES: u32 = 500;

/// The listeners of a program, which it takes over from a predecessor and hands over to a successor.
///
/// A Unix socket at a path tells which program runs there.
/// [`Host::handover`](crate::Host::handover) does the rest.
///
/// # Examples
///
/// ```
/// use startstop_host::Handover;
///
/// # fn main() -> std::io::Result<()> {
/// # let path = std::env::temp_dir().join(format!("startstop-handover-doc-{}", std::process::id()));
/// let handover = Handover::at(&path)?; // nobody is there
/// let http = handover.listen("http", "127.0.0.1:0")?; // so it is bound now
/// assert!(http.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
/// assert!(!path.exists()); // it appears when the program is ready
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Handover {
    path: PathBuf,
    predecessor: Option<Predecessor>,
    sockets: Sockets,
    listeners: Mutex<Listeners>,
}

/// Listeners by their names.
#[derive(Debug, Default)]
struct Listeners {
    /// Listeners of the predecessor that nobody has taken yet.
    received: Named,
    /// Listeners for a successor.
    ours: Named,
}

impl Handover {
    /// Asks the program that runs at `path`, if there is one, for its listeners; waits while it is being replaced by another
    /// one. A socket that was left behind is nobody.
    ///
    /// The sockets of a service manager are taken only when the answer is there: after an error [`Sockets::from_env`] still
    /// has them.
    ///
    /// # Examples
    ///
    /// See [`Handover`].
    ///
    /// # Errors
    ///
    /// If the path is too long for a socket, is in no directory, leads to something that is no socket, that belongs to another user, or that speaks
    /// another version; `TimedOut` if the program there says nothing for 5 s: it is frozen. And the errors of the socket.
    pub fn at(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        place::check(&path)?;
        let (predecessor, received) = ask(&path)?.unzip();
        let sockets = Sockets::from_env();
        let received = received.unwrap_or_default();
        let listeners = Mutex::new(Listeners {
            received,
            ours: Vec::new(),
        });
        Ok(Self {
            path,
            predecessor,
            sockets,
            listeners,
        })
    }

    /// The process that the manager's watchdog is meant for. A predecessor of another unit leaves this one to us.
    #[cfg(feature = "notify")]
    pub(crate) fn whose_watchdog(&self) -> Whose {
        let predecessor = self.predecessor.as_ref();
        let watchdog = predecessor
            .filter(|predecessor| predecessor.is_of_our_unit())
            .map(|predecessor| predecessor.watchdog);
        watchdog.map_or(Whose::Named, Whose::Predecessors)
    }

    /// Returns the listener of that name: the predecessor's, or that of the service manager (see [`Sockets`]), or a new
    /// one on `addr`, which counts only then. It is non-blocking, as tokio wants it, and closed in child processes.
    ///
    /// # Examples
    ///
    /// See [`Handover`].
    ///
    /// # Errors
    ///
    /// The errors of the bind.
    pub fn listen(&self, name: &str, addr: impl ToSocketAddrs) -> io::Result<TcpListener> {
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let received = listeners
            .received
            .iter()
            .position(|(found, _)| found == name);
        let listener = match received.map(|at| listeners.received.remove(at).1) {
            Some(listener) => {
                listener.set_nonblocking(true)?;
                listener
            }
            None => self.sockets.tcp_or_bind(name, addr)?,
        };
        listeners
            .ours
            .push((name.to_owned(), listener.try_clone()?));
        Ok(listener)
    }
}

/// Asks who runs there, if anybody does; again where it is just being replaced.
fn ask(path: &Path) -> io::Result<Option<(Predecessor, Named)>> {
    for _ in 1..TIMES {
        match Predecessor::ask(path) {
            Err(error) if wire::is_end(&error) => sleep(AGAIN),
            answer => return answer,
        }
    }
    Predecessor::ask(path)
}
