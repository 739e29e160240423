//! Whether a service has been ready once in its cycle.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use startstop_core::{Exit, State, Status};

/// What is remembered from one question to the next: nothing listens in between.
#[derive(Debug, Default)]
pub(crate) struct Started {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    cycle: u64,
    /// How long the service had been running when this cycle was first seen.
    total_uptime: Duration,
    started: bool,
}

impl Started {
    /// Returns whether the service that is seen has been ready in its present cycle.
    pub(crate) fn is(&self, status: &Status) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.cycle != status.cycles() {
            *seen = Seen::of_new_cycle(status);
        }
        seen.started |= runs_or_is_done(status) || status.total_uptime() > seen.total_uptime;
        seen.started && !was_ended(status)
    }
}

impl Seen {
    /// In the first cycle all the time is that of the cycle; of a later one only what is added from now on.
    fn of_new_cycle(status: &Status) -> Self {
        let cycle = status.cycles();
        let total_uptime = if cycle == 1 {
            Duration::ZERO
        } else {
            status.total_uptime()
        };
        Self {
            cycle,
            total_uptime,
            started: false,
        }
    }
}

fn runs_or_is_done(status: &Status) -> bool {
    status.is_ready() || status.state() == State::Running
}

/// Whether the cycle is over, and was not that of a job which is done.
fn was_ended(status: &Status) -> bool {
    status.state() == State::Stopped && status.last_exit() != Exit::Completed
}
