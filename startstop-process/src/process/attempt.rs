//! One attempt: spawn, wait until it is ready, watch, stop.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use startstop_core::{Context, Reload};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::command::{self, Notified};
use super::helper::Refusal;
use super::input::{self, Feeding};
use super::message::Notice;
use super::notify::NotifySocket;
use super::reloading::Reloading;
use super::stopping::PutOff;
use super::told::Told;
use super::unready::Unready;
use super::waiting::Waiting;
use super::{OnReload, Process, verdict};
use crate::error::ProcessError;
use crate::group::{Ending, ProcessGroup};
use crate::output::{OutputKind, Pump, Pumped, Sink};
use crate::proc_fs;
use crate::ready::{self, Ready};
use crate::signal::Signal;

/// A running child.
pub(super) struct Running<'a> {
    pub(super) process: &'a Process,
    pub(super) cx: &'a Context,
    /// Before the group, so that it looks around before its drop ends the child.
    pub(super) unready: Unready<'a>,
    pub(super) group: ProcessGroup,
    pub(super) pumped: Pumped,
    pub(super) told: Told,
    pub(super) notify: Option<NotifySocket>,
    reloading: Reloading,
    _feeding: Option<Feeding>,
    pub(super) errno: Option<i32>,
    began: Instant,
    /// How long it may run.
    limit: Option<Duration>,
}

/// An event of an attempt.
enum Event {
    Ended(Ending),
    Stop,
    Late(Duration),
    Told,
    Ready,
    Message(Vec<Notice>),
    Reload(Reload),
    Reloaded(Result<(), Refusal>),
}

pub(super) async fn run(process: &Process, cx: &Context) -> Result<(), ProcessError> {
    let failed = |source| failed(process, source);
    default_signals(process);
    let told = Told::listen(process.stop_signal);
    let notify = notify_socket(process).map_err(failed)?;
    let (mut waiting, awaited) = Waiting::begin(process);
    let path = notify.as_ref().map(NotifySocket::path);
    let notified = path.as_deref().map(|socket| Notified {
        socket,
        silence: cx.watchdog(),
    });
    let spawned = command::spawn(process, notified)?;
    let sink = sink(process).map_err(failed)?;
    let reloading = Reloading::new(sink.clone());
    let pump = Pump::new(cx, spawned.stdout, spawned.stderr, sink, awaited);
    let (pump, pumped) = pump.map_err(failed)?;
    cx.spawn(pump.run());
    let feeding = input::feed(process, cx, spawned.stdin).map_err(failed)?;
    let unready = Unready::new(process, cx, pumped.tail_handle());
    let group = spawned.group;
    let mut running = Running {
        process,
        cx,
        unready,
        group,
        pumped,
        told,
        notify,
        reloading,
        _feeding: feeding,
        errno: None,
        began: Instant::now(),
        limit: process.limit,
    };
    running.begin();
    running.until_end(&mut waiting).await
}

fn failed(process: &Process, source: io::Error) -> ProcessError {
    let program = process.program.to_string_lossy().into_owned();
    ProcessError::Spawn {
        program,
        why: None,
        source,
    }
}

fn notify_socket(process: &Process) -> io::Result<Option<NotifySocket>> {
    let is_wanted = matches!(process.ready, Some(Ready(ready::ReadyKind::Notify)));
    is_wanted
        .then(|| NotifySocket::bind(process.uid))
        .transpose()
}

fn sink(process: &Process) -> io::Result<Option<Sink>> {
    let is_read = matches!(process.ready, Some(Ready(ready::ReadyKind::Line(_))));
    match &process.output.0 {
        OutputKind::Inherit if !is_read => Ok(None),
        OutputKind::Null => Ok(None),
        kind => process.sinks.start(kind.clone()).map(Some),
    }
}

/// A signal that this process ignores is ignored by its children too, and one with a handler is not. A
/// handler that does nothing is for this process the same as ignoring. Of CHLD it is not: whoever ignores that has the system reap
/// its children, and never learns how they have ended.
fn default_signals(process: &Process) {
    let reload = match &process.reload {
        Some(OnReload::Signal(signal)) => Some(*signal),
        _ => None,
    };
    let ours = [Signal::CHILD, process.stop_signal];
    for wanted in ours.into_iter().chain(reload) {
        if proc_fs::ignores("self", wanted) {
            // A signal that cannot be handled cannot be ignored either.
            let _ = signal(SignalKind::from_raw(wanted.number()));
        }
    }
}

impl Running<'_> {
    async fn until_end(mut self, waiting: &mut Waiting) -> Result<(), ProcessError> {
        loop {
            match self.next(waiting).await {
                Event::Ready => self.is_ready(),
                Event::Told => {}
                Event::Message(notices) => {
                    self.heard(&notices);
                    if notices.contains(&Notice::Trigger) {
                        return Err(verdict::triggered(self));
                    }
                }
                Event::Reload(request) => {
                    self.reloading
                        .begin(self.process, self.cx, &self.group, request);
                }
                Event::Reloaded(result) => self.reloading.answer(result),
                Event::Stop => return verdict::stopped(self).await,
                Event::Late(limit) => return Err(verdict::late(self, limit)),
                Event::Ended(ending) => {
                    let rest = self.notify.take().map(NotifySocket::rest);
                    self.heard(&rest.unwrap_or_default());
                    self.look_back(waiting).await;
                    return verdict::ended(self, ending).await;
                }
            }
        }
    }

    async fn next(&mut self, waiting: &mut Waiting) -> Event {
        let takes_reload = self.process.reload.is_some() && self.reloading.is_idle();
        tokio::select! {
            biased;
            ending = self.group.ended() => ending.map_or(Event::Stop, Event::Ended),
            () = self.cx.cancelled() => Event::Stop,
            limit = over(self.began, self.limit) => Event::Late(limit),
            () = self.told.next() => Event::Told,
            () = waiting.ready(self.process, &self.unready), if self.unready.is_armed() => Event::Ready,
            message = next_message(self.notify.as_ref()) => Event::Message(message),
            result = self.reloading.ended() => Event::Reloaded(result),
            request = self.cx.reloaded(), if takes_reload => Event::Reload(request),
        }
    }

    /// Shows its id, and what is waited for.
    fn begin(&mut self) {
        self.cx.detail(format!("pid {}", self.group.id()));
        match &self.process.ready {
            Some(ready) => self.cx.not_ready(ready.missing()),
            None => self.is_ready(),
        }
    }

    fn is_ready(&mut self) {
        self.unready.disarm();
        self.cx.ready();
    }

    /// One that ends at once may have been ready before, for what it has written is read later.
    async fn look_back(&mut self, waiting: &mut Waiting) {
        if self.unready.is_armed() {
            self.pumped.caught_up().await;
            if waiting.was_ready() {
                self.is_ready();
            }
        }
    }

    fn heard(&mut self, notices: &[Notice]) {
        for notice in notices {
            match notice {
                Notice::Ready => self.is_ready(),
                Notice::Alive => self.cx.heartbeat(),
                Notice::Errno(number) => self.errno = Some(*number),
                Notice::Reloading => self.cx.not_ready("it reloads"),
                Notice::Stopping => self.cx.not_ready("it stops"),
                Notice::Status(text) => show(self.cx, self.group.id(), text),
                Notice::Extend(duration) => {
                    self.cx.extend(*duration);
                    let until = self.began.elapsed().saturating_add(*duration);
                    self.limit = self.limit.map(|limit| limit.max(until));
                }
                // The end of the attempt follows.
                Notice::Trigger => {}
            }
        }
    }
}

/// Waits until a limit is over, for ever if there is none.
async fn over(began: Instant, limit: Option<Duration>) -> Duration {
    match limit.and_then(|limit| Some((limit, began.checked_add(limit)?))) {
        Some((limit, end)) => {
            sleep_until(end).await;
            limit
        }
        None => std::future::pending().await,
    }
}

fn show(cx: &Context, leader: u32, status: &str) {
    cx.detail(match status {
        "" => format!("pid {leader}"),
        status => format!("pid {leader}: {status}"),
    });
}

/// Reads on what a child says that was told to stop, for one whose messages nobody takes waits for that. Only its
/// status matters any more, and how much time it asks for.
pub(super) async fn hear_out(
    cx: &Context,
    leader: u32,
    socket: Option<NotifySocket>,
    put_off: Option<&PutOff>,
) -> Infallible {
    loop {
        for notice in next_message(socket.as_ref()).await {
            match (notice, put_off) {
                (Notice::Status(text), _) => show(cx, leader, &text),
                (Notice::Extend(time), Some(put_off)) => put_off.extend(time),
                _ => {}
            }
        }
    }
}

async fn next_message(socket: Option<&NotifySocket>) -> Vec<Notice> {
    match socket {
        Some(socket) => socket.next().await.unwrap_or_default(),
        None => std::future::pending().await,
    }
}
