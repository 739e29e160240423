//! The failures of all cycles, the newest few of them kept.
//!
//! Invariants:
//!
//! 1. `entries()` is contiguous and oldest first; evicted entries lie before it and are dropped in bulk,
//!    so that recording stays cheap on average at any capacity.
//! 2. A snapshot shares the list: it costs one reference count at any size, and recording while a
//!    snapshot is alive copies the list once.

use std::sync::Arc;

use crate::report::failure::Failure;

/// The last failures of a runner over all its cycles: a snapshot.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, Settings, once};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let job = once(async |_cx| Err::<(), _>("no such table"));
/// let runner = Runner::with_settings(job, Settings::new().history_capacity(2));
/// for _ in 0..3 {
///     let _ = runner.start().await;
/// }
///
/// let history = runner.history();
/// let cycles: Vec<u64> = history.entries().iter().map(|failure| failure.cycle()).collect();
/// assert_eq!(cycles, [2, 3]);
/// assert_eq!(history.evicted(), 1);
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct History {
    log: Option<Arc<Log>>,
}

#[derive(Debug, Clone, Default)]
struct Log {
    failures: Vec<Failure>,
    /// How many at the front of `failures` are evicted already.
    stale: usize,
    evicted: u64,
}

impl History {
    /// Returns the failures that are kept, oldest first.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| Err::<(), _>("disk full")));
    /// runner.start().await.unwrap_err();
    /// runner.start().await.unwrap_err();
    /// let history = runner.history();
    /// assert_eq!(history.entries()[1].cycle(), 2);
    /// # }
    /// ```
    pub fn entries(&self) -> &[Failure] {
        match &self.log {
            Some(log) => &log.failures[log.stale..],
            None => &[],
        }
    }

    /// Returns how many failures were dropped because newer ones came: there have been
    /// `entries().len() + evicted()` in all.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, Settings, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let job = once(async |_cx| Err::<(), _>("disk full"));
    /// let runner = Runner::with_settings(job, Settings::new().history_capacity(1));
    /// for _start in 0..3 {
    ///     runner.start().await.unwrap_err();
    /// }
    /// assert_eq!(runner.history().evicted(), 2);
    /// # }
    /// ```
    pub fn evicted(&self) -> u64 {
        self.log.as_ref().map_or(0, |log| log.evicted)
    }

    /// Returns how many failures there have been in all.
    pub(crate) fn total(&self) -> u64 {
        self.entries().len() as u64 + self.evicted()
    }

    /// Adds a failure. What is no longer kept is handed back, since its drop is user code.
    pub(crate) fn push(&mut self, failure: Failure, capacity: usize) -> Vec<Failure> {
        let log = Arc::make_mut(self.log.get_or_insert_default());
        log.failures.push(failure);
        // Once there are stale ones, all places are taken.
        if log.failures.len() > capacity {
            log.stale += 1;
            log.evicted += 1;
        }
        if log.stale <= capacity {
            return Vec::new();
        }
        let stale = std::mem::take(&mut log.stale);
        log.failures.drain(..stale).collect()
    }

    /// Puts `new` in the place of `old`, if that is still kept.
    pub(crate) fn replace(&mut self, old: &Failure, new: &Failure) {
        let Some(log) = &mut self.log else { return };
        let stale = log.stale;
        let Some(at) = log
            .failures
            .iter()
            .rposition(|failure| failure.is_same(old))
        else {
            return;
        };
        if at >= stale {
            Arc::make_mut(log).failures[at] = new.clone();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::History;
    use crate::report::failure::{Failure, KeptError, Record};
    use crate::report::state::{Cause, Phase};

    fn failure(cycle: u64) -> Failure {
        Failure::new(Record {
            error: KeptError::Own(Box::new(std::fmt::Error)),
            phase: Phase::Run,
            cause: Cause::Error,
            service: "x".into(),
            path: crate::report::path::Path::alone("x"),
            cycle,
            attempt: 1,
            at: SystemTime::UNIX_EPOCH,
            uptime: Duration::ZERO,
            permanent: false,
            limit: None,
            task: None,
            checkpoint: None,
            filed: None,
        })
    }

    #[test]
    fn the_newest_entries_are_kept_and_the_others_counted() {
        for capacity in 0..5 {
            let mut history = History::default();
            for cycle in 1..=20 {
                drop(history.push(failure(cycle), capacity));
                let kept: Vec<u64> = history.entries().iter().map(Failure::cycle).collect();
                let first = cycle.saturating_sub(capacity as u64) + 1;
                assert_eq!(kept, (first..=cycle).collect::<Vec<_>>());
                assert_eq!(history.total(), cycle);
            }
        }
    }

    #[test]
    fn entries_that_are_no_longer_kept_are_taken_out_many_at_a_time() {
        let mut history = History::default();
        let out: Vec<usize> = (1..=20)
            .map(|cycle| history.push(failure(cycle), 4).len())
            .collect();
        assert_eq!(out.iter().sum::<usize>(), 15);
        assert!(out.iter().all(|taken| [0, 5].contains(taken)), "{out:?}");
    }

    #[test]
    fn a_snapshot_does_not_change() {
        let mut history = History::default();
        drop(history.push(failure(1), 2));
        let snapshot = history.clone();
        drop(history.push(failure(2), 2));
        drop(history.push(failure(3), 2));
        assert_eq!(snapshot.entries().len(), 1);
        assert_eq!(snapshot.evicted(), 0);
    }
}
