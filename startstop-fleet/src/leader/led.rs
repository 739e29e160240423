//! The service of one term: its runner, its term, and the guard over both.

use std::future::ready;
use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use startstop_core::{Exit, Runner, Service, State};

use super::{LeaderError, OnOverrun, Role};
use crate::guard::Guard;
use crate::term::Term;
use crate::wall;

pub(super) struct Led<S: Service> {
    pub(super) runner: Runner<S>,
    pub(super) term: Term,
    /// It was told to stop.
    pub(super) told: bool,
    since: SystemTime,
    guard: Option<Guard>,
}

impl<S: Service> Led<S> {
    /// Arms the guard and begins to start the service, in this order.
    pub(super) fn start(
        runner: Runner<S>,
        term: Term,
        on_overrun: OnOverrun,
    ) -> Result<Self, LeaderError> {
        let arm = || Guard::arm(&term, runner.subscribe()).map_err(LeaderError::Guard);
        let guard = (on_overrun == OnOverrun::ExitProcess)
            .then(arm)
            .transpose()?;
        runner.request_start();
        Ok(Self {
            runner,
            term,
            told: false,
            since: SystemTime::now(),
            guard,
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
            if self.runner.state() == State::Stopped {
                return;
            }
            if self.told {
                self.runner.request_stop();
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

    /// Disarms the guard, for the service has ended, and tells how.
    pub(super) fn finish(mut self) -> Result<(), LeaderError> {
        if let Some(guard) = self.guard.take() {
            guard.disarm();
        }
        match self.runner.status().last_exit() {
            Exit::Completed | Exit::Stopped => Ok(()),
            Exit::Failed => Err(self.failed()),
            _ => Err(LeaderError::Aborted),
        }
    }

    fn failed(&self) -> LeaderError {
        self.runner
            .errors_last()
            .map_or(LeaderError::Aborted, LeaderError::Led)
    }
}
