//! What the service waits for without being silent.

use super::{Attempt, Context};
use crate::engine::reporting;

/// As long as it is there, the service counts as alive for its watchdog.
pub(crate) struct Waiting<'a>(Option<&'a Attempt>);

impl Context {
    /// Counts as a sign of life for as long as the result is kept; free where there is no watchdog.
    pub(crate) fn waiting(&self) -> Waiting<'_> {
        let begins = |attempt: &&Attempt| {
            let shared = attempt.node().shared();
            shared.settings.watch().is_some()
                && reporting::begin_wait(&mut shared.synced(), attempt.epoch())
        };
        Waiting(self.attempt_link().filter(begins))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(attempt) = self.0 {
            let shared = attempt.node().shared();
            reporting::end_wait(&mut shared.synced(), shared, attempt.epoch());
        }
    }
}
