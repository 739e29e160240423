//! What the service waits for without being silent.

use super::{Attempt, Context};

/// As long as it is there, the service counts as alive for its watchdog.
pub(crate) struct Waiting<'a>(Option<&'a Attempt>);

impl Context {
    /// Counts as a sign of life for as long as the result is kept; free where there is no watchdog.
    pub(crate) fn waiting(&self) -> Waiting<'_> {
        let begins = |attempt: &&Attempt| {
            let shared = attempt.node().shared();
            shared.settings.watch().is_some() && shared.synced().begin_wait(attempt.epoch())
        };
        Waiting(self.attempt_link().filter(begins))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(attempt) = self.0 {
            let shared = attempt.node().shared();
            shared.synced().end_wait(shared, attempt.epoch());
        }
    }
}
