//! Messages to a service manager: systemd, or s6.

mod datagram;
mod fd;
mod line;
mod machine;
mod sender;
#[cfg(feature = "handover")]
mod unit;
mod watchdog;

use std::env;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use startstop_core::{Context, Event, Events, Service};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::probes::Probes;

use datagram::Datagram;
use fd::NotifyFd;
use line::{Look, look};
use machine::{Input, Machine};
use sender::Sender;

#[cfg(feature = "handover")]
pub(crate) use unit::Unit;
pub(crate) use watchdog::{Watchdog, Whose};

/// How often a full socket of the manager is tried again, and for how long until that is told.
const AGAIN: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(5);

/// How many events may wait while the manager's socket is full, or this thread is late: a stop of many members makes many, and the
/// first one is that of the whole.
const CAPACITY: usize = 1 << 20;

/// The receivers of a program's messages.
#[derive(Debug, Default)]
pub(crate) struct NotifySettings {
    by_env: bool,
    fd: Option<i32>,
}

impl NotifySettings {
    pub(crate) fn by_env(&mut self) {
        self.by_env = true;
    }

    pub(crate) fn fd(&mut self, number: i32) {
        self.fd = Some(number);
    }

    /// Returns whether there is a manager that prolongs its limits when it is told to.
    pub(crate) fn extends(&self) -> bool {
        self.variable("NOTIFY_SOCKET").is_some()
    }

    /// Finds whom to tell, or says why that cannot be told anything.
    pub(crate) fn open(&self, whose: Whose) -> Result<Manager, String> {
        let socket = self.variable("NOTIFY_SOCKET").map(|name| Sender::of(&name));
        let socket = socket.transpose()?.flatten();
        let socket = socket.map(|sender| match whose {
            Whose::Named => sender,
            Whose::Predecessors(_) => sender.of_successor(),
        });
        let number = match (self.fd, self.variable("STARTSTOP_NOTIFY_FD")) {
            (Some(number), _) => Some(number),
            (None, Some(text)) => Some(fd::number(&text)?),
            (None, None) => None,
        };
        let fd = number.map(NotifyFd::open).transpose()?;
        Ok(Manager {
            socket: socket.map(Arc::new),
            fd,
            whose,
        })
    }

    fn variable(&self, name: &str) -> Option<std::ffi::OsString> {
        env::var_os(name).filter(|value| self.by_env && !value.is_empty())
    }
}

/// The manager that is told.
pub(crate) struct Manager {
    socket: Option<Arc<Sender>>,
    fd: Option<NotifyFd>,
    /// The process that its watchdog is meant for.
    whose: Whose,
}

impl Manager {
    /// Tells that the program cannot even begin.
    #[cfg(feature = "admin")]
    pub(crate) fn refuse(&self, reason: &str) {
        let Some(socket) = &self.socket else {
            return;
        };
        // There is nobody to report an error to.
        drop(socket.send(&Datagram::failed(reason, 1)));
    }

    /// Returns the part of the unit that a successor takes over.
    #[cfg(feature = "handover")]
    pub(crate) fn unit(&self) -> Option<Unit> {
        Some(Unit::new(self.socket.clone()?, self.whose))
    }

    /// Returns the task for the runtime of the service that keeps the watchdog of the manager quiet, if there is one.
    pub(crate) fn watchdog(&self) -> Option<Watchdog> {
        Watchdog::new(self.socket.clone()?, self.whose)
    }

    fn machine(&self) -> Machine {
        match self.whose {
            Whose::Predecessors(_) if self.socket.is_some() => Machine::of_successor(),
            _ => Machine::new(),
        }
    }

    /// Returns the part that tells what happens, from now on; `None` if there is nobody to tell.
    pub(crate) fn part(self, probes: &Probes) -> Option<Notifier> {
        if self.socket.is_none() && self.fd.is_none() {
            return None;
        }
        let handle = probes.source().handle()?;
        let path = handle.status().path().to_owned();
        let talk = Talk {
            events: handle.events_with_capacity(CAPACITY),
            machine: self.machine(),
            began: Instant::now(),
            probes: probes.clone(),
            manager: self,
            path,
            failed: false,
        };
        Some(Notifier(tokio::sync::Mutex::new(talk)))
    }
}

/// The part of the host that tells the manager. What it knows outlives its attempts.
pub(crate) struct Notifier(tokio::sync::Mutex<Talk>);

struct Talk {
    events: Events,
    machine: Machine,
    began: Instant,
    probes: Probes,
    manager: Manager,
    /// That of the whole.
    path: String,
    /// Whether the manager could not be reached the last time.
    failed: bool,
}

impl Service for Notifier {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let mut talk = self.0.lock().await;
        let sender = talk.manager.socket.clone();
        talk.tell(Input::Time, &cx).await;
        loop {
            let next = talk.machine.next().map(|at| talk.began + at);
            let time = async {
                match next {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                event = talk.events.next() => match event {
                    Some(event) => talk.happened(&event, &cx).await,
                    // The runner is gone, so there are no more events.
                    None => {
                        cx.cancelled().await;
                        return Ok(());
                    }
                },
                () = cx.cancelled() => {
                    talk.tell(Input::End, &cx).await;
                    return Ok(());
                }
                () = becomes_main(sender.as_deref()), if talk.machine.is_silent() => {
                    talk.tell(Input::Main, &cx).await;
                }
                () = time => talk.tell(Input::Time, &cx).await,
            }
        }
    }
}

async fn becomes_main(sender: Option<&Sender>) {
    match sender {
        Some(sender) => sender.is_main().await,
        None => std::future::pending().await,
    }
}

impl Talk {
    async fn happened(&mut self, event: &Event, cx: &Context) {
        // Events of parts change the status line only.
        let kind = (event.path() == self.path).then(|| event.kind());
        self.tell(kind.map_or(Input::Below, Input::Whole), cx).await;
    }

    async fn tell(&mut self, input: Input<'_>, cx: &Context) {
        let look = || -> Look { look(&self.probes) };
        for datagram in self.machine.step(self.began.elapsed(), input, look) {
            self.send(&datagram, cx).await;
        }
    }

    async fn send(&mut self, datagram: &Datagram, cx: &Context) {
        // The descriptor is closed after that, since its reader waits for this alone.
        let fd = self.manager.fd.take_if(|_| datagram.is_ready());
        // Neither waits for the other, of which nobody may read.
        let (told, ()) = tokio::join!(tell_ready(fd), self.tell_socket(datagram, cx));
        if let Err(error) = told {
            cx.report(error);
        }
    }

    async fn tell_socket(&mut self, datagram: &Datagram, cx: &Context) {
        loop {
            let sent = self.manager.send(datagram).await;
            let again = datagram.is_vital() && sent.as_ref().is_err_and(is_full);
            self.note(sent, cx);
            if !again {
                return;
            }
        }
    }

    /// Reports only the first of several errors: the socket may be gone for long.
    fn note(&mut self, sent: io::Result<()>, cx: &Context) {
        let had_failed = std::mem::replace(&mut self.failed, sent.is_err());
        if let Some(error) = sent.err().filter(|_| !had_failed) {
            cx.report(error);
        }
    }
}

/// Returns whether the manager does not keep up.
fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

impl Manager {
    async fn send(&self, datagram: &Datagram) -> io::Result<()> {
        let Some(socket) = &self.socket else {
            return Ok(());
        };
        let late = Instant::now() + PATIENCE;
        loop {
            match socket.send(datagram) {
                Err(error) if is_full(&error) && Instant::now() < late => sleep(AGAIN).await,
                sent => return sent,
            }
        }
    }
}

async fn tell_ready(fd: Option<NotifyFd>) -> io::Result<()> {
    let Some(fd) = fd else {
        return Ok(());
    };
    // A pipe that nobody empties blocks whoever writes to it.
    let told = tokio::task::spawn_blocking(move || fd.tell());
    match timeout(PATIENCE, told).await {
        Ok(told) => told.map_err(io::Error::other)?,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "nobody reads from the descriptor",
        )),
    }
}

#[cfg(test)]
mod tests;
