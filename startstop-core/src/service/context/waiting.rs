//! Waits of the service that do not count as silence.

use super::Attempt;
use crate::engine::reporting;

/// As long as it is there, the service counts as alive for its watchdog.
pub(crate) struct Waiting<'a>(Option<&'a Attempt>);

impl<'a> Waiting<'a> {
    pub(super) fn new(attempt: Option<&'a Attempt>) -> Self {
        let begins = |attempt: &&Attempt| {
            let shared = attempt.node().shared();
            shared.settings.watch().is_some()
                && reporting::begin_wait(&mut shared.synced(), shared, attempt.epoch())
        };
        Self(attempt.filter(begins))
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
