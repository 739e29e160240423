//! The service of one term: its runner, its term, and the guard over both.

use std::future::{pending, ready};
use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use startstop_core::{EventKind, Exit, Runner, State, Status};

use super::{LeaderError, OnOverrun, Role};
use crate::guard::Guard;
use crate::in_term::InTerm;
use crate::term::Term;
use crate::wall;

pub(super) struct Led {
    pub(super) runner: Runner<InTerm>,
    pub(super) term: Term,
    /// It was told to stop.
    pub(super) told: bool,
    /// It was aborted and does not end.
    pub(super) is_unresponsive: bool,
    since: SystemTime,
    guard: Option<Guard>,
    /// How its service has ended, once nothing runs it any more.
    end: Option<Result<(), LeaderError>>,
}

impl Led {
    /// Arms the guard and begins to start the service, in this order.
    pub(super) fn start(
        runner: Runner<InTerm>,
        term: Term,
        on_overrun: OnOverrun,
        early: Duration,
    ) -> Result<Self, LeaderError> {
        let arm = || Guard::arm(&term, runner.subscribe(), early).map_err(LeaderError::Guard);
        let guard = (on_overrun == OnOverrun::ExitProcess)
            .then(arm)
            .transpose()?;
        runner.request_start();
        Ok(Self {
            runner,
            term,
            told: false,
            is_unresponsive: false,
            since: SystemTime::now(),
            guard,
            end: None,
        })
    }

    pub(super) fn extend(&self, until: Duration) {
        self.term.extend(until);
        if let Some(guard) = &self.guard {
            guard.extend(until);
        }
    }

    /// Returns the detail of the status: since when it holds the lease, with which fence, and how long that still lasts.
    pub(super) fn detail(&self, role: Role) -> String {
        let (since, left) = (wall::seconds(self.since), self.term.left().as_secs_f32());
        let role = match role {
            Role::Leader => "leader",
            Role::Member => "member",
        };
        format!(
            "{role} since {since}, fence {}, {left:.1} s left",
            self.term.fence()
        )
    }

    /// Returns the moment when its term began, in seconds since 1970.
    pub(super) fn since(&self) -> f64 {
        self.since
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs_f64()
    }

    /// Waits until nothing of the service is left: a verdict is not enough. One that is restarted, by itself or by its handle, goes on
    /// in its term, unless it was told to stop.
    pub(super) async fn ended(&self) {
        loop {
            self.runner.wait_for(State::Stopped).await;
            // The next cycle of a restart has begun by now.
            if self.told || self.runner.state() == State::Stopped {
                return;
            }
        }
    }

    /// Waits until it is given up on, once: it was aborted and does not end.
    pub(super) async fn unresponsive(&self) {
        if self.is_unresponsive {
            pending::<()>().await;
        }
        loop {
            self.runner.wait_for(State::Stopping).await;
            let mut events = self.runner.events();
            let mut verdict = self.runner.status().unresponsive().is_some();
            while !verdict && self.runner.state() == State::Stopping {
                let Some(event) = events.next().await else {
                    return pending().await;
                };
                let is_told = matches!(
                    event.kind(),
                    EventKind::Unresponsive(_) | EventKind::Missed(_)
                );
                verdict = is_told && self.runner.status().unresponsive().is_some();
            }
            if verdict {
                return;
            }
        }
    }

    pub(super) fn stop(&self) {
        self.runner.request_stop();
    }

    /// Registers a stop that takes at most `left`; it goes on without this future.
    pub(super) async fn stop_within(&self, left: Duration) {
        let stop = pin!(self.runner.stop_within(left));
        tokio::select! {
            biased;
            _ = stop => {}
            () = ready(()) => {}
        }
    }

    /// Ends the term and disarms the guard, once the service [has ended](Self::ended): from then on whoever has its handle starts it
    /// in vain. Returns false if it was started again meanwhile.
    pub(super) fn end(&mut self) -> bool {
        if self.end.is_some() {
            return true;
        }
        let runs = self.term.runs();
        let status = self.runner.status();
        if !self.told && status.state() != State::Stopped {
            return false;
        }
        let end = match status.last_exit() {
            Exit::Completed | Exit::Stopped => Ok(()),
            // Somebody has started it after it was told to stop.
            _ if self.runner.service().was_refused() => Ok(()),
            Exit::Failed => Err(failure(&status)),
            _ => Err(LeaderError::Aborted),
        };
        if !self.term.end_after(runs) {
            return false;
        }
        self.end = Some(end);
        if let Some(guard) = self.guard.take() {
            guard.disarm();
        }
        true
    }

    /// Returns how a service has failed that has not ended.
    pub(super) fn failure(&self) -> LeaderError {
        failure(&self.runner.status())
    }

    /// Tells how the service has ended.
    pub(super) fn finish(self) -> Result<(), LeaderError> {
        self.end.unwrap_or(Err(LeaderError::Aborted))
    }
}

fn failure(status: &Status) -> LeaderError {
    let failure = status.last_failure().cloned();
    failure.map_or(LeaderError::Aborted, LeaderError::Led)
}
