//! What is told, and when: a step for each thing that happens, without a clock or a socket.
//!
//! 1. READY=1 is told once, when the whole is ready for the first time, and again only after a reload.
//! 2. STOPPING=1 is told at the beginning of an end of the program, and never of a restart.
//! 3. STATUS= is told at most once a second, but for what comes along with another message.
//! 4. Time is asked for only before READY=1 and after STOPPING=1, while the program is alive and has time left.

use std::fmt;
use std::time::Duration;

use sd_notify::NotifyState;
use startstop_core::{EventKind, ReloadError, StopReason};

use super::line::Look;
use crate::verdict::one_line;

/// How often at most the status is told.
const PERIOD: Duration = Duration::from_secs(1);
/// How much time is asked for, and how often.
const EXTENSION: Duration = Duration::from_secs(10);
const EXTEND: Duration = Duration::from_secs(2);
/// The first of them comes a little late: most starts and stops are over by then.
const FIRST: Duration = Duration::from_millis(200);
/// The most bytes of a status: systemd takes 4,096 for a whole datagram.
const LONGEST: usize = 1024;

/// What happens.
#[derive(Clone, Copy)]
pub(super) enum Input<'a> {
    /// Something to the whole.
    Whole(&'a EventKind),
    /// Something to a part.
    Below,
    /// Time passes.
    Time,
    /// The program ends.
    End,
}

/// Where the program is, as the manager sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Up,
    Reloading,
    Stopping,
    Ended,
}

/// What the manager was told, and what it is to be told.
pub(super) struct Machine {
    phase: Phase,
    /// How long a stop can take, and when the one in progress has begun.
    grace: Duration,
    stopping_since: Duration,
    /// Whether the whole is being restarted.
    restarts: bool,
    /// What went wrong with the last reload.
    reload_error: Option<String>,
    status: Line,
    extend_at: Option<Duration>,
}

/// The status line: what was told, and what is to be told when it is time.
#[derive(Default)]
struct Line {
    told: String,
    told_at: Option<Duration>,
    /// Whether something has happened since.
    stale: bool,
}

impl Machine {
    pub(super) fn new(grace: Duration) -> Self {
        Self {
            phase: Phase::Starting,
            grace,
            stopping_since: Duration::ZERO,
            restarts: false,
            reload_error: None,
            status: Line { stale: true, ..Line::default() },
            extend_at: Some(FIRST),
        }
    }

    /// When there is something to say although nothing happens.
    pub(super) fn next(&self) -> Option<Duration> {
        let status = self.status.told_at.map_or(Duration::ZERO, |at| at + PERIOD);
        let status = (self.status.stale && self.phase != Phase::Ended).then_some(status);
        status.into_iter().chain(self.extend_at).min()
    }

    /// What is to be told now. `look` is asked only where there is something to say.
    pub(super) fn step(
        &mut self,
        now: Duration,
        input: Input<'_>,
        look: impl Fn() -> Look,
    ) -> Vec<Datagram> {
        let mut told = match input {
            Input::Whole(kind) => self.whole(now, kind, &look),
            Input::End => self.ended(true, now, &look),
            Input::Below | Input::Time => None,
        };
        self.status.stale |= matches!(input, Input::Whole(_) | Input::Below);
        let status_is_due = self.status.told_at.is_none_or(|at| now >= at + PERIOD);
        if told.is_none() && self.status.stale && status_is_due && self.phase != Phase::Ended {
            told = self.status(now, &look()).map(|status| Datagram(vec![status]));
        }
        told.into_iter().chain(self.extension(now, &look)).collect()
    }

    fn whole(
        &mut self,
        now: Duration,
        kind: &EventKind,
        look: &impl Fn() -> Look,
    ) -> Option<Datagram> {
        match kind {
            EventKind::Ready { .. } if self.phase == Phase::Starting => {
                self.enter(Phase::Up, None);
                Some(self.with_status(Message::Ready, now, &look()))
            }
            EventKind::Reloading if self.phase == Phase::Up => {
                self.enter(Phase::Reloading, None);
                Some(Datagram(vec![Message::Reloading]))
            }
            EventKind::Reloaded(result) if self.phase == Phase::Reloading => {
                self.enter(Phase::Up, None);
                self.reload_error = result.as_ref().err().map(error_text);
                Some(self.with_status(Message::Ready, now, &look()))
            }
            // Nobody waits any longer for what does not yield.
            EventKind::Unresponsive(_) if self.phase == Phase::Starting => {
                self.ended(false, now, look)
            }
            EventKind::Stopping(reason) => self.stopping(now, *reason, look),
            EventKind::Starting => {
                self.restarts = false;
                None
            }
            EventKind::Stopped { exit, .. } if !self.restarts => {
                self.ended(exit.is_success(), now, look)
            }
            _ => None,
        }
    }

    fn stopping(
        &mut self,
        now: Duration,
        reason: StopReason,
        look: &impl Fn() -> Look,
    ) -> Option<Datagram> {
        self.restarts = reason == StopReason::Restart;
        if goes_on(reason) || matches!(self.phase, Phase::Stopping | Phase::Ended) {
            return None;
        }
        self.stopping_since = now;
        self.enter(Phase::Stopping, Some(now + FIRST));
        Some(self.with_status(Message::Stopping, now, &look()))
    }

    /// The cycle has ended, and with it the program.
    fn ended(
        &mut self,
        success: bool,
        now: Duration,
        look: &impl Fn() -> Look,
    ) -> Option<Datagram> {
        let before = self.phase;
        self.enter(Phase::Ended, None);
        let look = look();
        match (before, look.error) {
            (Phase::Starting, Some((error, number))) if !success => {
                Some(Datagram(vec![Message::Status(clip(&error)), Message::Errno(number)]))
            }
            (Phase::Starting, None) if !success => {
                Some(Datagram(vec![Message::Status(clip(&look.line)), Message::Errno(1)]))
            }
            (Phase::Stopping | Phase::Ended, _) => None,
            (_, error) => Some(self.with_status(Message::Stopping, now, &Look { error, ..look })),
        }
    }

    fn enter(&mut self, phase: Phase, extend_at: Option<Duration>) {
        self.phase = phase;
        self.extend_at = extend_at;
    }

    fn with_status(&mut self, message: Message, now: Duration, look: &Look) -> Datagram {
        Datagram([message].into_iter().chain(self.status(now, look)).collect())
    }

    /// The line, if it is another one than the last.
    fn status(&mut self, now: Duration, look: &Look) -> Option<Message> {
        self.status.stale = false;
        let failed = self.reload_error.as_ref().filter(|_| self.phase == Phase::Up);
        let line = match failed {
            Some(error) => clip(&format!("{}; the last reload failed: {error}", look.line)),
            None => clip(&look.line),
        };
        if line == self.status.told {
            return None;
        }
        self.status.told_at = Some(now);
        self.status.told.clone_from(&line);
        Some(Message::Status(line))
    }

    fn extension(&mut self, now: Duration, look: &impl Fn() -> Look) -> Option<Datagram> {
        self.extend_at.filter(|at| now >= *at)?;
        let late = self.stopping_since.saturating_add(self.grace);
        if self.phase == Phase::Stopping && now > late {
            self.extend_at = None;
            return None;
        }
        self.extend_at = Some(now + EXTEND);
        look().live.then(|| Datagram(vec![Message::Extend]))
    }
}

/// Whether the program goes on after an end of the whole for this reason, or at least may.
fn goes_on(reason: StopReason) -> bool {
    use StopReason::{Completed, Failed, Restart, StartTimedOut, Watchdog};
    matches!(reason, Completed | Failed | Restart | StartTimedOut | Watchdog)
}

fn error_text(error: &ReloadError) -> String {
    match error {
        ReloadError::Failed(failure) => failure.error().to_string(),
        other => other.to_string(),
    }
}

/// One line, for what follows a line end would be an assignment of its own, and not too long.
fn clip(text: &str) -> String {
    let mut line = one_line(text);
    if line.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(end);
        line.push('…');
    }
    line
}

/// What is told of a program that cannot even begin.
#[cfg(feature = "admin")]
pub(super) fn refusal(reason: &str) -> Datagram {
    Datagram(vec![Message::Status(clip(reason)), Message::Errno(1)])
}

/// What is told at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Datagram(Vec<Message>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Message {
    Ready,
    Reloading,
    Stopping,
    Status(String),
    Errno(i32),
    Extend,
    Watchdog,
    #[cfg(feature = "handover")]
    MainPid(u32),
}

impl Datagram {
    #[cfg(feature = "handover")]
    pub(super) fn main_pid(pid: u32) -> Self {
        // The watchdog begins anew, for the new process has not been heard yet.
        Self(vec![Message::MainPid(pid), Message::Watchdog])
    }

    pub(super) fn watchdog() -> Self {
        Self(vec![Message::Watchdog])
    }

    pub(super) fn is_ready(&self) -> bool {
        self.0.contains(&Message::Ready)
    }
}

impl fmt::Display for Datagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|message| message.write(f))
    }
}

impl Message {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self {
            Self::Ready => NotifyState::Ready,
            Self::Reloading => return reloading(f),
            Self::Stopping => NotifyState::Stopping,
            Self::Status(line) => NotifyState::Status(line),
            Self::Errno(number) => NotifyState::Errno(number.unsigned_abs()),
            Self::Extend => NotifyState::ExtendTimeoutUsec(
                u32::try_from(EXTENSION.as_micros()).unwrap_or(u32::MAX),
            ),
            Self::Watchdog => NotifyState::Watchdog,
            #[cfg(feature = "handover")]
            Self::MainPid(pid) => NotifyState::MainPid(*pid),
        };
        writeln!(f, "{state}")
    }
}

/// With the time, from which the manager tells that an answer is one to its own request.
fn reloading(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "{}", NotifyState::Reloading)?;
    match NotifyState::monotonic_usec_now() {
        Ok(now) => writeln!(f, "{now}"),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
