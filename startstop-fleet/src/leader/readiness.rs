//! The readiness of what is led, for a leader that is ready when its service is.

use std::future::pending;

use startstop_core::{Events, Runner};

use crate::in_term::InTerm;

/// The readiness that was passed on last, and the events after which it is looked at again.
pub(super) struct Readiness {
    events: Events,
    shown: bool,
}

impl Readiness {
    /// Begins with a service that has not been started.
    pub(super) fn of(runner: &Runner<InTerm>) -> Self {
        Self {
            events: runner.events(),
            shown: false,
        }
    }

    /// Waits until it is another one, and returns that.
    pub(super) async fn changed(&mut self, runner: &Runner<InTerm>) -> bool {
        // An event follows each change.
        while runner.is_ready() == self.shown {
            if self.events.next().await.is_none() {
                pending::<()>().await;
            }
        }
        self.shown = !self.shown;
        self.shown
    }
}
