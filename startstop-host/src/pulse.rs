//! The pulse of the runtime that the service runs on: a task that says each second that it was polled.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often the task is polled.
const PERIOD: Duration = Duration::from_secs(1);
/// How long it may be silent.
const SILENCE: Duration = Duration::from_secs(5);

/// When the runtime of the service last ran a task of ours, by the clock of the system: that of tokio may stand still.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    /// When the first beat came.
    began: OnceLock<Instant>,
    /// How many milliseconds after that the last one came.
    last: AtomicU64,
    /// Whether there are no more to come.
    ended: AtomicBool,
}

impl Pulse {
    /// Beats until the future is dropped, with which the pulse ends.
    pub(crate) async fn run(&self) {
        let _end = End(self);
        loop {
            self.beat();
            tokio::time::sleep(PERIOD).await;
        }
    }

    fn beat(&self) {
        let began = self.began.get_or_init(Instant::now);
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
    }

    /// Says that the runtime is about to end, which is no silence.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Says how long the runtime has been silent, where that is too long.
    pub(crate) fn problem(&self) -> Option<String> {
        let began = self.began.get()?;
        if self.ended.load(Ordering::Relaxed) {
            return None;
        }
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        silence(began.elapsed().saturating_sub(last))
    }
}

/// The runtime drops its tasks when it ends.
struct End<'a>(&'a Pulse);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn silence(silent: Duration) -> Option<String> {
    let seconds = silent.as_secs();
    (silent > SILENCE).then(|| format!("has run no task for {seconds} s"))
}

#[cfg(test)]
mod tests {
    use super::{Duration, Pulse, silence};

    #[test]
    fn a_pulse_that_has_not_begun_or_has_ended_is_no_problem() {
        let pulse = Pulse::default();
        assert_eq!(pulse.problem(), None);
        pulse.beat();
        assert_eq!(pulse.problem(), None);
        pulse.end();
        assert_eq!(pulse.problem(), None);
    }

    #[test]
    fn a_silence_is_a_problem_after_five_seconds() {
        assert_eq!(silence(Duration::from_secs(5)), None);
        let problem = silence(Duration::from_millis(6_500)).unwrap();
        assert_eq!(problem, "has run no task for 6 s");
    }
}
