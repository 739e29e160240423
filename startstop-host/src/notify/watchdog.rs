//! The watchdog of the manager: it is kept quiet from the runtime of the service, and only while the program is alive.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::datagram::Datagram;
use super::sender::Sender;
use crate::probes::Probes;

/// The process that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The process that `WATCHDOG_PID` names.
    Named,
    /// The predecessor, until this program has taken over: then it is the main process, whatever `WATCHDOG_PID` says. With the
    /// silence that the predecessor was told of, for the environment may say nothing.
    #[cfg_attr(not(feature = "handover"), allow(dead_code))]
    Predecessors(Option<Duration>),
}

impl Whose {
    /// After how long a silence the watchdog bites, if it is ours.
    pub(super) fn silence(self) -> Option<Duration> {
        let told = number("WATCHDOG_USEC")
            .filter(|usec| *usec > 0)
            .map(Duration::from_micros);
        match self {
            Self::Predecessors(silence) => told.or(silence),
            Self::Named => told.filter(|_| is_named()),
        }
    }
}

/// Returns whether this process is meant, or none by its number.
fn is_named() -> bool {
    env::var_os("WATCHDOG_PID").is_none()
        || number("WATCHDOG_PID") == Some(std::process::id().into())
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// A watchdog that wants to hear from us.
pub(crate) struct Watchdog {
    sender: Arc<Sender>,
    /// How long it takes silence for.
    silence: Duration,
}

impl Watchdog {
    pub(super) fn new(sender: Arc<Sender>, whose: Whose) -> Option<Self> {
        Some(Self {
            sender,
            silence: whose.silence()?,
        })
    }

    /// Keeps it quiet until the future is dropped.
    pub(crate) async fn run(self, probes: Probes) {
        loop {
            if probes.live().ok() {
                // Errors are ignored: the next datagram makes up for a lost one, and the notifier reports a socket that
                // is gone.
                drop(self.sender.send(&Datagram::watchdog()));
            }
            sleep(self.silence / 2).await;
        }
    }
}
