//! One attempt: spawn, wait until it is ready, watch, stop.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use startstop_core::Context;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, timeout};

use super::{Process, Reload, command, stopping};
use crate::error::ProcessError;
use crate::group::{Ending, ProcessGroup};
use crate::output::{Kind, Pump, Pumped, Sink};
use crate::proc_fs;
use crate::ready::{NotifySocket, Ready, Waiting, held};

/// A service manager tells the children as well as this process. Who is told first is chance, so the end
/// of a child by a signal waits so long for a stop that was asked for before it.
const TOLD_TOO: Duration = Duration::from_millis(250);

/// A running child.
struct Running<'a> {
    process: &'a Process,
    cx: &'a Context,
    group: ProcessGroup,
    pumped: Pumped,
    notify: Option<NotifySocket>,
}

/// What happens to it.
enum Event {
    Ended(Ending),
    Stop,
    Ready,
    Reload(startstop_core::Reload),
    Message(String),
}

pub(super) async fn run(process: &Process, cx: &Context) -> Result<(), ProcessError> {
    default_signals(process);
    let is_notify = matches!(process.ready, Some(Ready(crate::ready::Kind::Notify)));
    let notify =
        is_notify.then(NotifySocket::bind).transpose().map_err(|source| failed(process, source))?;
    let (mut waiting, awaited) = Waiting::begin(process.ready.as_ref());
    let path = notify.as_ref().map(NotifySocket::path);
    let spawned = command::spawn(process, path.as_deref())?;
    let sink = sink(process).map_err(|source| failed(process, source))?;
    let pump = Pump::new(cx.name(), spawned.stdout, spawned.stderr, sink, awaited);
    let (pump, pumped) = pump.map_err(|source| failed(process, source))?;
    cx.spawn(pump.run());
    let running = Running { process, cx, group: spawned.group, pumped, notify };
    running.until_end(&mut waiting).await
}

fn failed(process: &Process, source: io::Error) -> ProcessError {
    let program = process.program.to_string_lossy().into_owned();
    ProcessError::Spawn { program, why: None, source }
}

fn sink(process: &Process) -> io::Result<Option<Sink>> {
    let is_read = matches!(process.ready, Some(Ready(crate::ready::Kind::Line(_))));
    match &process.output.0 {
        Kind::Inherit if !is_read => Ok(None),
        Kind::Null => Ok(None),
        kind => Sink::start(kind.clone()).map(Some),
    }
}

/// A signal that this process ignores is ignored by its children too, and one with a handler is not. A
/// handler that does nothing is for this process the same as ignoring.
fn default_signals(process: &Process) {
    let reload = match &process.reload {
        Some(Reload::Signal(signal)) => Some(*signal),
        _ => None,
    };
    for wanted in [Some(process.stop_signal), reload].into_iter().flatten() {
        if proc_fs::ignores("self", wanted) {
            // One that cannot be handled cannot be ignored either.
            let _ = signal(SignalKind::from_raw(wanted.number()));
        }
    }
}

impl Running<'_> {
    async fn until_end(self, waiting: &mut Waiting) -> Result<(), ProcessError> {
        let mut unready = Unready { running: &self, since: Instant::now(), armed: true };
        loop {
            let event = self.next(waiting, unready.armed).await;
            match event {
                Event::Ready => {
                    unready.armed = false;
                    self.cx.ready();
                }
                Event::Message(text) => unready.armed &= !self.heard(&text),
                Event::Reload(request) => self.reload(request).await,
                Event::Stop => {
                    unready.armed = false;
                    break;
                }
                Event::Ended(ending) => {
                    let was_ready = !unready.armed;
                    unready.armed = false;
                    drop(unready);
                    return self.ended(ending, was_ready).await;
                }
            }
        }
        drop(unready);
        self.stop().await
    }

    async fn next(&self, waiting: &mut Waiting, is_waiting: bool) -> Event {
        tokio::select! {
            biased;
            ending = self.group.ended() => match ending {
                Ok(ending) => Event::Ended(ending),
                Err(_) => Event::Stop,
            },
            () = self.cx.cancelled() => Event::Stop,
            () = waiting.ready(), if is_waiting => Event::Ready,
            text = self.message() => Event::Message(text),
            request = self.cx.reloaded(), if self.process.reload.is_some() => Event::Reload(request),
        }
    }

    async fn message(&self) -> String {
        match &self.notify {
            Some(socket) => socket.next().await.unwrap_or_default(),
            None => std::future::pending().await,
        }
    }

    /// Whether the child has said that it is ready.
    fn heard(&self, text: &str) -> bool {
        let has = |line| text.lines().any(|found| found == line);
        if has("WATCHDOG=1") {
            self.cx.heartbeat();
        }
        if has("READY=1") {
            self.cx.ready();
        }
        has("READY=1")
    }

    async fn stop(self) -> Result<(), ProcessError> {
        let Self { process, cx, group, pumped, .. } = self;
        if proc_fs::ignores(group.id(), process.stop_signal) {
            cx.report(format!("it ignores {}, its stop signal", process.stop_signal));
        }
        let ended = stopping::end(group, process.stop_signal, cx, process.stop_timeout()).await;
        let tail = pumped.finish().await;
        judge(process, ended?, true, tail)
    }

    /// The leader has left by itself. A task of the attempt ends what is left of its group, so that it has
    /// the time that the settings give.
    async fn ended(self, ending: Ending, was_ready: bool) -> Result<(), ProcessError> {
        let is_signal = matches!(ending, Ending::Signalled { signal, .. } if signal == self.process.stop_signal);
        let told = is_signal && timeout(TOLD_TOO, self.cx.cancelled()).await.is_ok();
        let holder = if was_ready { None } else { self.holder() };
        let Self { process, cx, group, pumped, .. } = self;
        let mut tail = if group.alive().is_empty() {
            group.reap();
            pumped.finish().await
        } else {
            pumped.caught_up().await;
            let tail = pumped.tail();
            let (signal, limit, of_task) =
                (process.stop_signal, process.stop_timeout(), cx.clone());
            cx.spawn(async move {
                let ended = stopping::end(group, signal, &of_task, limit).await;
                pumped.finish().await;
                ended.map(drop)
            });
            tail
        };
        tail.extend(holder);
        let result = judge(process, ending, told, tail.clone());
        if result.is_ok() && !was_ready && !told && process.ready.is_some() {
            return Err(ProcessError::NotReady {
                why: "it ended before it was ready".to_owned(),
                tail,
            });
        }
        result
    }

    /// Who holds the port that it was to listen on.
    fn holder(&self) -> Option<String> {
        let Some(Ready(crate::ready::Kind::Tcp(addr))) = &self.process.ready else { return None };
        held(addr).map(|holder| format!("{addr} is held by {holder}"))
    }

    /// A signal is answered by nobody: it is done when it is sent.
    async fn reload(&self, request: startstop_core::Reload) {
        match &self.process.reload {
            Some(Reload::Signal(signal)) => {
                self.group.signal_leader(*signal);
                request.done();
            }
            Some(Reload::Command(command)) => match run_command(command, self.group.id()).await {
                Ok(()) => request.done(),
                Err(why) => request.failed(why),
            },
            None => request.done(),
        }
    }
}

async fn run_command(command: &[std::ffi::OsString], leader: u32) -> Result<(), String> {
    let Some((program, args)) = command.split_first() else { return Ok(()) };
    let mut started = Command::new(program);
    started.args(args).env("MAINPID", leader.to_string()).env_remove("NOTIFY_SOCKET");
    started.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    match started.status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the reload command {command:?} ended with {status}")),
        Err(error) => Err(format!("the reload command {command:?}: {error}")),
    }
}

fn judge(
    process: &Process,
    ending: Ending,
    told: bool,
    tail: Vec<String>,
) -> Result<(), ProcessError> {
    match ending {
        Ending::Exited(code) if process.success.contains(&code) => Ok(()),
        Ending::Exited(code) => Err(ProcessError::Exited { code, tail }),
        Ending::Signalled { signal, .. } if told && signal == process.stop_signal => Ok(()),
        Ending::Signalled { signal, core_dumped } => {
            Err(ProcessError::Signalled { signal, core_dumped, tail })
        }
    }
}

/// Tells what was waited for if the attempt is aborted before it is ready: its start has timed out.
struct Unready<'a> {
    running: &'a Running<'a>,
    since: Instant,
    armed: bool,
}

impl Drop for Unready<'_> {
    fn drop(&mut self) {
        let Some(ready) = self.running.process.ready.as_ref().filter(|_| self.armed) else {
            return;
        };
        let why = format!("{} after {:?}", ready.wish(), self.since.elapsed());
        self.running.cx.report(ProcessError::NotReady { why, tail: self.running.pumped.tail() });
    }
}
