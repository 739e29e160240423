//! Which signal counts: the first asks for the end, the second for an abort, the third for the end of the process.
//!
//! Pure: the time is given. What is sent twice by those who end a program is one request: systemd sends SIGTERM again to
//! what is left when the main process has ended, `timeout`, `tini -g` and `dumb-init` to a wrapper that forwards it; a
//! terminal and a shell may both send SIGINT.

use std::time::{Duration, Instant};

use super::signals::Signal;

/// How soon after the first termination another one is the same request.
pub(super) const TERMINATE_WINDOW: Duration = Duration::from_secs(1);
const INTERRUPT_WINDOW: Duration = Duration::from_millis(200);

/// The signals that have come.
#[derive(Debug, Default)]
pub(super) struct Count {
    /// How many of them count.
    asked: u32,
    terminated_at: Option<Instant>,
    interrupted_at: Option<Instant>,
}

impl Count {
    /// Notes a signal; which one it is of those that count.
    pub(super) fn note(&mut self, signal: Signal, now: Instant) -> Option<u32> {
        let (first, window) = match signal {
            Signal::Interrupt => (&mut self.interrupted_at, INTERRUPT_WINDOW),
            // A hang-up that nobody takes for a reload is a termination.
            Signal::Terminate | Signal::HangUp => (&mut self.terminated_at, TERMINATE_WINDOW),
        };
        match *first {
            Some(first) if now.saturating_duration_since(first) < window => return None,
            Some(_) => {}
            None => *first = Some(now),
        }
        self.asked += 1;
        Some(self.asked)
    }

    /// Returns whether the end was asked for.
    pub(super) fn is_asked(&self) -> bool {
        self.asked > 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, Duration, Instant, Signal};

    /// Returns what becomes of signals that come so many milliseconds after the first.
    fn noted(signals: &[(Signal, u64)]) -> Vec<Option<u32>> {
        let (begin, mut count) = (Instant::now(), Count::default());
        let note = |&(signal, ms)| count.note(signal, begin + Duration::from_millis(ms));
        signals.iter().map(note).collect()
    }

    #[test]
    fn a_second_termination_within_a_second_of_the_first_is_none() {
        let term = Signal::Terminate;
        assert_eq!(
            noted(&[(term, 0), (term, 999), (term, 1000)]),
            [Some(1), None, Some(2)]
        );
    }

    #[test]
    fn a_third_termination_counts_however_soon_it_follows_the_second() {
        let term = Signal::Terminate;
        assert_eq!(
            noted(&[(term, 0), (term, 1000), (term, 1001)]),
            [Some(1), Some(2), Some(3)]
        );
    }

    #[test]
    fn a_second_interrupt_within_200_ms_of_the_first_is_none() {
        let int = Signal::Interrupt;
        assert_eq!(
            noted(&[(int, 0), (int, 199), (int, 200)]),
            [Some(1), None, Some(2)]
        );
    }

    #[test]
    fn signals_of_different_kinds_are_no_twins() {
        let (int, term) = (Signal::Interrupt, Signal::Terminate);
        assert_eq!(
            noted(&[(term, 0), (int, 1), (term, 2)]),
            [Some(1), Some(2), None]
        );
    }

    #[test]
    fn a_termination_after_a_hangup_that_is_one_is_its_twin() {
        let (hup, term) = (Signal::HangUp, Signal::Terminate);
        assert_eq!(noted(&[(hup, 0), (term, 500)]), [Some(1), None]);
    }
}
