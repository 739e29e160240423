//! The unit of the manager, of which a successor becomes the main process.

use std::sync::Arc;
use std::time::Duration;

use super::sender::Sender;
use super::watchdog::Whose;

/// The place of the main process in a unit.
pub(crate) struct Unit {
    sender: Arc<Sender>,
    watchdog: Option<Duration>,
}

impl Unit {
    pub(super) fn new(sender: Arc<Sender>, whose: Whose) -> Self {
        Self {
            sender,
            watchdog: whose.silence(),
        }
    }

    /// After how long a silence the watchdog bites.
    pub(crate) fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// Makes this process the main one, which speaks for the unit.
    pub(crate) fn take_over(&self) {
        self.sender.take_over();
    }

    /// Makes a successor the main process. From then on nothing is told any more: it would be taken for what the new one says.
    pub(crate) async fn hand_over(self, pid: u32) {
        self.sender.hand_over(pid).await;
    }
}
