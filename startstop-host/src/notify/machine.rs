//! The rules of what the manager is told, and when: a step for each thing that happens, without a clock or a socket.
//!
//! 1. READY=1 is told once, when the whole is ready for the first time, and again only after a reload; of several that overlap each
//!    is told, and READY=1 after the last.
//! 2. STOPPING=1 is told at the beginning of an end of the program, and never of a restart.
//! 3. STATUS= is told at most once a second, but for what comes along with another message, and no more often is the service looked
//!    at for it, whatever happens: that costs as much as it has members.
//! 4. A successor is silent until it is the main process, which may never be: the manager would take its messages for those of the
//!    unit. Then it tells where it is.
//! 5. Time is asked for only before READY=1 and after STOPPING=1, while the program is alive and has time left.

use std::time::Duration;

use startstop_core::{EventKind, Exit, ReloadError, StopReason};

use super::datagram::{Datagram, Message, clip};
use super::line::Look;
use crate::error_text::text_of;

/// How often at most the status is told.
const PERIOD: Duration = Duration::from_secs(1);
/// How often time is asked for.
const EXTEND: Duration = Duration::from_secs(2);
/// The first of them comes a little late: most starts and stops are over by then.
const FIRST: Duration = Duration::from_millis(200);

/// An input of the machine.
#[derive(Clone, Copy)]
pub(super) enum Input<'a> {
    /// Something to the whole.
    Whole(&'a EventKind),
    /// Something to a part.
    Below,
    /// Time passes.
    Time,
    /// A successor has become the main process.
    Main,
    /// The program ends.
    End,
}

/// The stage of the program, as the manager sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProgramPhase {
    Starting,
    Up,
    Reloading,
    Stopping,
    Ended,
}

/// The messages that the manager was told, and those that are due.
pub(super) struct Machine {
    /// Whether another process is the main one.
    silent: bool,
    phase: ProgramPhase,
    /// When the stop in progress has to be over.
    stopped_by: Duration,
    /// Whether the whole is being restarted.
    restarts: bool,
    /// How many reloads are under way, and the error of the last one that was over.
    reloads: u32,
    reload_error: Option<String>,
    status: Line,
    extend_at: Option<Duration>,
}

/// The status line: what was told, when it was looked whether that is still so, and whether that is to be done when it is time.
#[derive(Default)]
struct Line {
    told: String,
    looked_at: Option<Duration>,
    /// Whether something has happened since.
    stale: bool,
}

impl Line {
    fn untold() -> Self {
        Self {
            stale: true,
            ..Self::default()
        }
    }
}

impl Machine {
    pub(super) fn new() -> Self {
        Self {
            silent: false,
            phase: ProgramPhase::Starting,
            stopped_by: Duration::ZERO,
            restarts: false,
            reloads: 0,
            reload_error: None,
            status: Line::untold(),
            extend_at: Some(FIRST),
        }
    }

    /// Returns the machine of a program that is to become the main process.
    pub(super) fn of_successor() -> Self {
        Self {
            silent: true,
            ..Self::new()
        }
    }

    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }

    /// Returns when there is something to say although nothing happens.
    pub(super) fn next(&self) -> Option<Duration> {
        let status = self
            .status
            .looked_at
            .map_or(Duration::ZERO, |at| at + PERIOD);
        let status = (self.status.stale && self.phase != ProgramPhase::Ended).then_some(status);
        status.into_iter().chain(self.extend_at).min()
    }

    /// Returns the messages that are due now. `look` is called only where there is something to say.
    pub(super) fn step(
        &mut self,
        now: Duration,
        input: Input<'_>,
        look: impl Fn() -> Look,
    ) -> Vec<Datagram> {
        let mut told = match input {
            Input::Whole(kind) => self.whole(now, kind, &look),
            Input::End => self.ended(Exit::Stopped, now, &look),
            Input::Main => self.speak_up(now, &look),
            Input::Below | Input::Time => None,
        };
        self.status.stale |= matches!(input, Input::Whole(_) | Input::Below);
        let status_is_due = self.status.looked_at.is_none_or(|at| now >= at + PERIOD);
        if told.is_none() && self.status.stale && status_is_due && self.phase != ProgramPhase::Ended
        {
            told = self
                .status(now, &look())
                .map(|status| Datagram(vec![status]));
        }
        let told = told.into_iter().chain(self.extension(now, &look));
        told.filter(|_| !self.silent).collect()
    }

    /// Tells where the program is, of which nothing was told.
    fn speak_up(&mut self, now: Duration, look: &impl Fn() -> Look) -> Option<Datagram> {
        self.silent = false;
        self.status = Line::untold();
        let message = match self.phase {
            ProgramPhase::Starting | ProgramPhase::Ended => None,
            ProgramPhase::Up => Some(Message::Ready),
            ProgramPhase::Reloading => Some(Message::Reloading),
            ProgramPhase::Stopping => Some(Message::Stopping),
        };
        message.map(|message| self.with_status(message, now, &look()))
    }

    fn whole(
        &mut self,
        now: Duration,
        kind: &EventKind,
        look: &impl Fn() -> Look,
    ) -> Option<Datagram> {
        match kind {
            EventKind::Ready { .. } if self.phase == ProgramPhase::Starting => {
                self.enter(ProgramPhase::Up, None);
                Some(self.with_status(Message::Ready, now, &look()))
            }
            EventKind::Reloading if self.is_up() => {
                self.enter(ProgramPhase::Reloading, None);
                self.reloads += 1;
                Some(Datagram(vec![Message::Reloading]))
            }
            EventKind::Reloaded(result) if self.phase == ProgramPhase::Reloading => {
                self.reloads = self.reloads.saturating_sub(1);
                self.reload_error = result.as_ref().err().map(error_text);
                (self.reloads == 0).then(|| {
                    self.enter(ProgramPhase::Up, None);
                    self.with_status(Message::Ready, now, &look())
                })
            }
            // A start that is given up has failed for the manager.
            EventKind::Unresponsive(_) if self.phase == ProgramPhase::Starting => {
                self.ended(Exit::Failed, now, look)
            }
            EventKind::Stopping(reason) => self.stopping(now, *reason, look),
            EventKind::Starting => {
                self.restarts = false;
                None
            }
            EventKind::Stopped { exit, .. } if !self.restarts => self.ended(*exit, now, look),
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
        if goes_on(reason) || matches!(self.phase, ProgramPhase::Stopping | ProgramPhase::Ended) {
            return None;
        }
        let look = look();
        self.stopped_by = now.saturating_add(look.grace);
        self.enter(ProgramPhase::Stopping, Some(now + FIRST));
        Some(self.with_status(Message::Stopping, now, &look))
    }

    /// The cycle has ended, and with it the program.
    fn ended(&mut self, exit: Exit, now: Duration, look: &impl Fn() -> Look) -> Option<Datagram> {
        let before = self.phase;
        self.enter(ProgramPhase::Ended, None);
        let look = look();
        match (before, look.error) {
            (ProgramPhase::Starting, Some((error, number))) if !exit.is_success() => {
                Some(Datagram::failed(&error, number))
            }
            (ProgramPhase::Starting, None) if !exit.is_success() => {
                Some(Datagram::failed(&look.line, 1))
            }
            (ProgramPhase::Stopping | ProgramPhase::Ended, _) => None,
            (_, error) => Some(self.with_status(Message::Stopping, now, &Look { error, ..look })),
        }
    }

    fn is_up(&self) -> bool {
        matches!(self.phase, ProgramPhase::Up | ProgramPhase::Reloading)
    }

    fn enter(&mut self, phase: ProgramPhase, extend_at: Option<Duration>) {
        self.phase = phase;
        self.extend_at = extend_at;
    }

    fn with_status(&mut self, message: Message, now: Duration, look: &Look) -> Datagram {
        Datagram(
            [message]
                .into_iter()
                .chain(self.status(now, look))
                .collect(),
        )
    }

    /// Returns the line, if it is another one than the last.
    fn status(&mut self, now: Duration, look: &Look) -> Option<Message> {
        self.status.stale = false;
        self.status.looked_at = Some(now);
        let failed = self
            .reload_error
            .as_ref()
            .filter(|_| self.phase == ProgramPhase::Up);
        let line = match failed {
            Some(error) => clip(&format!("{}; the last reload failed: {error}", look.line)),
            None => clip(&look.line),
        };
        if line == self.status.told {
            return None;
        }
        self.status.told.clone_from(&line);
        Some(Message::Status(line))
    }

    fn extension(&mut self, now: Duration, look: &impl Fn() -> Look) -> Option<Datagram> {
        self.extend_at.filter(|at| now >= *at)?;
        if self.phase == ProgramPhase::Stopping && now > self.stopped_by {
            self.extend_at = None;
            return None;
        }
        self.extend_at = Some(now + EXTEND);
        look().live.then(|| Datagram(vec![Message::Extend]))
    }
}

/// Returns whether the program goes on after an end of the whole for this reason, or at least may.
fn goes_on(reason: StopReason) -> bool {
    use StopReason::{Completed, Failed, Restart, StartTimedOut, Watchdog};
    matches!(
        reason,
        Completed | Failed | Restart | StartTimedOut | Watchdog
    )
}

fn error_text(error: &ReloadError) -> String {
    match error {
        ReloadError::Failed(failure) => text_of(failure.error()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
