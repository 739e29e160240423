//! The part of the host that takes over, and then waits for a successor.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use startstop_core::{Context, Service, State};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::Handover;
use super::alive::WAIT;
use super::place::Place;
use super::queue::Queue;
use super::wire::{self, GIVEN_UP, LIST, Named, Predecessor, READY, SILENCE, VERSION};
#[cfg(feature = "notify")]
use crate::notify::Unit;
use crate::probes::Probes;

/// How long a successor may take to say who it is.
const HELLO: Duration = Duration::from_secs(5);

/// The part that waits for successors, one after another. What it knows outlives its attempts.
pub(crate) struct Successors(tokio::sync::Mutex<Succession>);

struct Succession {
    path: PathBuf,
    predecessor: Option<Predecessor>,
    listeners: Named,
    probes: Probes,
    /// Whether the predecessor has given this program up.
    refused: Arc<AtomicBool>,
    #[cfg(feature = "notify")]
    unit: Option<Unit>,
}

/// How the wait for the first readiness has ended.
enum Began {
    Ready,
    GivenUp,
    Gone,
}

impl Handover {
    /// Returns the part that does the rest. What nobody has taken is closed. `refused` is set when the predecessor has given
    /// this program up, which ends then.
    pub(crate) fn part(
        self,
        probes: &Probes,
        refused: &Arc<AtomicBool>,
        #[cfg(feature = "notify")] unit: Option<Unit>,
    ) -> Successors {
        let Self {
            path,
            predecessor,
            listeners,
            ..
        } = self;
        let listeners = listeners
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .ours;
        if let Some(predecessor) = &predecessor {
            predecessor.watch(probes);
        }
        Successors(tokio::sync::Mutex::new(Succession {
            path,
            predecessor,
            listeners,
            probes: probes.clone(),
            refused: Arc::clone(refused),
            #[cfg(feature = "notify")]
            unit,
        }))
    }
}

impl Service for Successors {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let mut talk = self.0.lock().await;
        match cx.run_until_cancelled(talk.begin()).await {
            Some(Began::Ready) => {}
            Some(Began::GivenUp) => return talk.refuse(&cx).await,
            // The predecessor goes on: its connection ends only with this program.
            Some(Began::Gone) | None => {
                cx.cancelled().await;
                return Ok(());
            }
        }
        // Until there is a place the predecessor goes on, and is the one that answers.
        let place = Place::take(&talk.path)?;
        talk.replace();
        if let Some(successor) = cx.run_until_cancelled(talk.successor(&place, &cx)).await {
            let successor = successor?;
            drop(place);
            cx.run_until_cancelled(talk.leave(&successor)).await;
            cx.cancelled().await;
        }
        Ok(())
    }
}

impl Succession {
    /// Takes the place of the predecessor: from now on this program is the main one of its unit.
    fn replace(&mut self) {
        if let Some(predecessor) = self.predecessor.take() {
            predecessor.tell_ready();
        }
        #[cfg(feature = "notify")]
        if let Some(unit) = &self.unit {
            unit.take_over();
        }
    }

    /// Waits until the program is ready for the first time, or the predecessor has given it up.
    async fn begin(&self) -> Began {
        tokio::select! {
            biased;
            () = self.gives_up() => Began::GivenUp,
            ready = self.ready() => match &self.predecessor {
                _ if !ready => Began::Gone,
                Some(predecessor) if predecessor.has_given_up() => Began::GivenUp,
                _ => Began::Ready,
            },
        }
    }

    /// Waits until the predecessor has given this program up; for ever if it does not, or has ended.
    async fn gives_up(&self) {
        if let Some(Ok(stream)) = self.predecessor.as_ref().map(Predecessor::stream) {
            while let Ok(byte) = read(&stream).await {
                if byte == GIVEN_UP {
                    return;
                }
            }
        }
        std::future::pending::<()>().await;
    }

    /// This program was asleep, and another one may have taken its turn: it ends.
    async fn refuse(&mut self, cx: &Context) -> io::Result<()> {
        self.predecessor = None;
        self.listeners.clear();
        self.refused.store(true, Ordering::Relaxed);
        let message = format!(
            "handover: the program there has given this one up, which said nothing for {SILENCE:?}"
        );
        cx.report(io::Error::new(ErrorKind::TimedOut, message));
        cx.run_until_cancelled(self.keep_stopped()).await;
        cx.cancelled().await;
        Ok(())
    }

    /// Stops the service, which may not even have begun: the parts of the host are there before it.
    async fn keep_stopped(&self) {
        let Some(handle) = self.probes.source().handle() else {
            return;
        };
        let mut states = handle.subscribe();
        loop {
            if !matches!(states.get(), State::Stopped | State::Stopping) {
                handle.request_stop();
            }
            if states.changed().await.is_none() {
                return;
            }
        }
    }

    /// Waits until the program is ready for the first time; `false` if it is gone.
    async fn ready(&self) -> bool {
        let Some(mut states) = self
            .probes
            .source()
            .handle()
            .map(|handle| handle.subscribe())
        else {
            return false;
        };
        while states.get() != State::Running {
            if states.changed().await.is_none() {
                return false;
            }
        }
        true
    }

    /// Waits for a successor that has become ready. Those that wait behind it lose their connection, and ask the new one.
    async fn successor(&self, place: &Place, cx: &Context) -> io::Result<UnixStream> {
        let mut queue = Queue::of(&place.listener, cx);
        loop {
            let stream = queue.next().await?;
            match queue.meanwhile(self.hand_over(&stream)).await? {
                Ok(()) => return Ok(stream),
                // The successor has died or given up before it took over anything.
                Err(error) if wire::is_end(&error) => {}
                Err(error) => cx.report(error),
            }
            if !place.is_there() {
                // The successor died after it took the place. The next attempt takes it back.
                return Err(io::Error::other("handover: the socket was taken away"));
            }
        }
    }

    /// Hands the listeners to a successor, and waits until it is ready. It was told our version already.
    async fn hand_over(&self, stream: &UnixStream) -> io::Result<()> {
        let hello = timeout(HELLO, read(stream)).await;
        let version =
            hello.map_err(|_| io::Error::other("handover: a successor says nothing"))??;
        if version != VERSION {
            return Err(wire::other_version("a successor", version));
        }
        let count = u16::try_from(self.listeners.len()).map_err(io::Error::other)?;
        let mut list = vec![LIST];
        list.extend(self.watchdog().to_be_bytes());
        list.extend(count.to_be_bytes());
        write(stream, &list).await?;
        for (name, listener) in &self.listeners {
            stream
                .async_io(Interest::WRITABLE, || wire::send(stream, name, listener))
                .await?;
        }
        until_ready(stream).await
    }

    /// Returns the silence in microseconds after which the watchdog of the manager bites.
    #[cfg_attr(not(feature = "notify"), allow(clippy::unused_self))]
    fn watchdog(&self) -> u64 {
        #[cfg(feature = "notify")]
        if let Some(silence) = self.unit.as_ref().and_then(Unit::watchdog) {
            return u64::try_from(silence.as_micros()).unwrap_or(0);
        }
        0
    }

    /// It is replaced: the manager gets a new main process, and this one ends.
    async fn leave(&mut self, stream: &UnixStream) {
        self.listeners.clear();
        #[cfg(feature = "notify")]
        if let Some(unit) = self.unit.take() {
            let pid = stream.peer_cred().ok().and_then(|peer| peer.pid());
            if let Some(pid) = pid.and_then(|pid| u32::try_from(pid).ok()) {
                unit.hand_over(pid).await;
            }
        }
        let _ = stream;
        if let Some(handle) = self.probes.source().handle() {
            handle.request_stop();
        }
    }
}

/// Waits until a successor is ready, which says each second that it is alive. One that does not is given up, and told so.
async fn until_ready(stream: &UnixStream) -> io::Result<()> {
    loop {
        let Ok(byte) = timeout(SILENCE, read(stream)).await else {
            // A full buffer means that the successor reads nothing anyway.
            let _ = rustix::io::write(stream, &[GIVEN_UP]);
            let message =
                format!("handover: a successor has said nothing for {SILENCE:?}, and is given up");
            return Err(io::Error::new(ErrorKind::TimedOut, message));
        };
        match byte? {
            WAIT => {}
            READY => return Ok(()),
            other => {
                let message = format!("handover: a successor says {other}");
                return Err(io::Error::other(message));
            }
        }
    }
}

/// A byte that is there already is seen at once, which a reactor that has just been asked knows nothing of.
async fn read(stream: &UnixStream) -> io::Result<u8> {
    let mut byte = [0];
    let mut read = || rustix::io::read(stream, &mut byte).map_err(io::Error::from);
    let length = match read() {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            stream.async_io(Interest::READABLE, read).await
        }
        read => read,
    };
    match length? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(byte[0]),
    }
}

/// A few bytes, which go in one piece.
async fn write(stream: &UnixStream, bytes: &[u8]) -> io::Result<()> {
    let write = || rustix::io::write(stream, bytes).map_err(Into::into);
    let sent = stream.async_io(Interest::WRITABLE, write).await?;
    if sent == bytes.len() {
        Ok(())
    } else {
        Err(ErrorKind::WriteZero.into())
    }
}
