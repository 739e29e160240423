//! The restarts that a group makes: how many, and which backoff comes before the next.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use super::Supervisor;
use crate::rules::restart_counter::{Recent, random};
use crate::settings::restart_policy::Backoff;
use crate::sync::clock;

/// How long the group has to be ready for its backoff to begin anew.
const HEALTHY: Duration = Duration::from_secs(60);

/// The counts of the restarts, and the backoff of the one that is under way.
#[derive(Default)]
pub(super) struct Restarts {
    /// Those that the limit counts.
    recent: Recent,
    /// How many there were since the group was healthy.
    step: u32,
    /// Since when the group is ready.
    ready_since: Option<u64>,
    backoff: Option<Pin<Box<Sleep>>>,
}

impl Restarts {
    /// Returns whether the limit allows another restart now, which is counted then.
    pub(super) fn allows(&mut self, limit: Option<(u32, Duration)>) -> bool {
        self.recent.allows(limit, clock::now())
    }

    /// Returns the delay before the restart that begins now.
    fn next_delay(&mut self, backoff: &Backoff) -> Duration {
        self.is_not_ready();
        let delay = backoff.delay(self.step, random);
        self.step = self.step.saturating_add(1);
        delay
    }

    fn look_whether_healthy(&mut self) {
        let now = clock::now();
        if self
            .ready_since
            .is_some_and(|since| clock::between(since, now) >= HEALTHY)
        {
            self.step = 0;
        }
    }

    /// The group is ready from now on.
    pub(super) fn is_ready(&mut self) {
        self.ready_since.get_or_insert_with(clock::now);
    }

    /// The group is not ready any more.
    pub(super) fn is_not_ready(&mut self) {
        self.look_whether_healthy();
        self.ready_since = None;
    }

    /// Returns whether a backoff is over; said once.
    pub(super) fn poll(&mut self, task: &mut Task<'_>) -> Poll<()> {
        let Some(backoff) = &mut self.backoff else {
            return Poll::Pending;
        };
        std::task::ready!(backoff.as_mut().poll(task));
        self.backoff = None;
        Poll::Ready(())
    }
}

/// A restart has begun: those that it takes down come up when its backoff is over.
pub(super) fn begin_backoff(supervisor: &mut Supervisor<'_>) {
    let delay = supervisor.restarts.next_delay(&supervisor.shared.backoff);
    if delay.is_zero() {
        // The runtime has its turn nevertheless.
        supervisor.again = true;
        supervisor.shared.table().plan.backoff_over();
        return;
    }
    supervisor.restarts.backoff = Some(Box::pin(tokio::time::sleep(delay)));
}

pub(super) fn backoff_over(supervisor: &mut Supervisor<'_>) {
    supervisor.shared.table().plan.backoff_over();
    supervisor.run_actions();
}
