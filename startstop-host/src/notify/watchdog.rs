//! The watchdog of the manager: it is kept quiet from the runtime of the service, and only while the program is alive.

use std::env;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::machine::Datagram;
use super::sender::Sender;
use crate::probes::Probes;

/// A watchdog that wants to hear from us.
pub(crate) struct Watchdog {
    sender: Arc<Sender>,
    /// How long it takes silence for.
    silence: Duration,
}

impl Watchdog {
    /// Reads `WATCHDOG_USEC`; one that is meant for another process is none of ours.
    pub(super) fn from_env(sender: Arc<Sender>) -> Option<Self> {
        let number = |name| env::var(name).ok()?.parse::<u64>().ok();
        let ours = env::var_os("WATCHDOG_PID").is_none()
            || number("WATCHDOG_PID") == Some(std::process::id().into());
        let silence = Duration::from_micros(number("WATCHDOG_USEC").filter(|usec| *usec > 0)?);
        ours.then_some(Self { sender, silence })
    }

    /// Keeps it quiet until the future is dropped.
    pub(crate) async fn run(self, probes: Probes) {
        loop {
            if probes.live().ok() {
                // A datagram that is lost is made up for by the next one, and the notifier tells of a socket that is gone.
                drop(self.sender.send(&Datagram::watchdog()));
            }
            sleep(self.silence / 2).await;
        }
    }
}
