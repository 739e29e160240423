//! `Term`: the right to work for a while, and the number that tells it from those before.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Notify;

use crate::clock;

/// A term of leadership: given to the closure that makes the led service.
///
/// The service is told to stop before its term is over, so it need not ask. The fence of a term
/// helps where no clock can: against a write that is still on the wire, and against a process that
/// was frozen and goes on as if nothing had happened. The receiver refuses writes with a smaller
/// [`fence`](Self::fence) than the greatest it has seen; see [`Fenced`](crate::Fenced).
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, once};
/// use startstop_fleet::{Leader, Memory, Term};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let leader = Leader::new("invoices", Memory::new(), |term: Term| {
///     once(move |_cx| {
///         assert!(term.fence() >= 1);
///         assert!(term.is_valid());
///         async {}
///     })
/// });
/// let runner = Runner::new(leader);
/// runner.start().await.unwrap();
/// runner.wait().await;
/// # }
/// ```
#[derive(Clone)]
pub struct Term {
    shared: Arc<TermShared>,
}

struct TermShared {
    name: Arc<str>,
    holder: Arc<str>,
    fence: u64,
    /// Nanoseconds of the clock; zero once the term was taken away. The terms of shards have that of their process.
    valid_until: Arc<AtomicU64>,
    /// How often its service was run, in steps of [`RUN`]; and the marks below, whatever becomes of those beside it.
    runs: AtomicU64,
    /// Tells that it is over.
    over: Notify,
}

/// It is over.
const OVER: u64 = 1;

/// No run begins in it any more.
const CLOSED: u64 = 2;

const RUN: u64 = 4;

/// A service was not run, for its term is over: somebody who has its handle has started it too late.
///
/// It is what the attempt fails with, as a [`Permanent`](startstop_core::Permanent) error.
///
/// # Examples
///
/// ```
/// use startstop_core::{Exit, Runner, service_fn};
/// use startstop_fleet::{Leader, Memory, TermOver};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let idle = |_| service_fn(async |cx| cx.cancelled().await);
/// let runner = Runner::new(Leader::new("api", Memory::new(), idle).ready_when_leading());
/// runner.start().await.unwrap();
/// let path = runner.status().children()[0].path().to_owned();
/// let kept = runner.find(&path).unwrap();
/// runner.stop().await.unwrap();
///
/// kept.request_start();
/// assert_eq!(kept.wait().await, Exit::Failed);
/// let over: TermOver = kept.errors_last().unwrap().find::<TermOver>().unwrap().clone();
/// assert_eq!(over.name, "api");
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the term of {name:?} is over (fence {fence}): only who holds the lease runs its service")]
#[non_exhaustive]
pub struct TermOver {
    /// The name of the lease.
    pub name: String,
    /// The fence of the term.
    pub fence: u64,
}

impl TermOver {
    pub(crate) fn of(term: &Term) -> Self {
        Self {
            name: term.name().to_owned(),
            fence: term.fence(),
        }
    }
}

impl Term {
    pub(crate) fn new(name: Arc<str>, holder: Arc<str>, fence: u64, valid_until: Duration) -> Self {
        let valid_until = Arc::new(AtomicU64::new(nanos(valid_until)));
        Self {
            shared: Arc::new(TermShared {
                name,
                holder,
                fence,
                valid_until,
                runs: AtomicU64::new(0),
                over: Notify::new(),
            }),
        }
    }

    /// Returns a term that is valid for as long as this one.
    pub(crate) fn beside(&self, name: String, fence: u64) -> Self {
        let holder = self.shared.holder.clone();
        let valid_until = self.shared.valid_until.clone();
        Self {
            shared: Arc::new(TermShared {
                name: name.into(),
                holder,
                fence,
                valid_until,
                runs: AtomicU64::new(0),
                over: Notify::new(),
            }),
        }
    }

    /// Returns the number of the term, greater than that of each term before: for `where fence <= $1`.
    ///
    /// It is at most `i64::MAX`.
    pub fn fence(&self) -> u64 {
        self.shared.fence
    }

    /// Reads the clock and tells whether the term is still valid.
    ///
    /// It is false from the first moment on after a freeze that was too long, and once the record is known to be
    /// somebody else's. `true` says nothing of the moment after: use the [`fence`](Self::fence) for writes.
    pub fn is_valid(&self) -> bool {
        !self.left().is_zero()
    }

    /// Returns how long the term is valid for, unless it is renewed.
    pub fn left(&self) -> Duration {
        self.valid_until().saturating_sub(clock::now())
    }

    /// Returns the name of the lease.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Returns the identity of the leader that holds it, made anew by each run of one.
    pub fn holder(&self) -> &str {
        &self.shared.holder
    }

    pub(crate) fn valid_until(&self) -> Duration {
        if self.runs() & OVER != 0 {
            return Duration::ZERO;
        }
        Duration::from_nanos(self.shared.valid_until.load(Ordering::Acquire))
    }

    /// One that was taken away is not given back.
    pub(crate) fn extend(&self, until: Duration) {
        let longer = |valid: u64| (valid != 0).then(|| valid.max(nanos(until)));
        let _ = self
            .shared
            .valid_until
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, longer);
    }

    /// Counts a run of its service, unless none is to begin any more.
    pub(crate) fn begin_run(&self) -> bool {
        let more = |runs| (runs & (OVER | CLOSED) == 0).then_some(runs + RUN);
        let runs = &self.shared.runs;
        let counted = runs.fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        self.is_valid() && counted.is_ok()
    }

    /// No run begins any more: who sees the service stopped after that knows that it is for good.
    pub(crate) fn close(&self) {
        self.shared.runs.fetch_or(CLOSED, Ordering::AcqRel);
    }

    /// Returns the count of runs, for [`end_after`](Self::end_after).
    pub(crate) fn runs(&self) -> u64 {
        self.shared.runs.load(Ordering::Acquire)
    }

    /// It is over unless a run has begun after these: for who has seen the service stopped since they were counted. Returns
    /// whether it is.
    pub(crate) fn end_after(&self, runs: u64) -> bool {
        let now = &self.shared.runs;
        let ended = now.compare_exchange(runs, runs | OVER, Ordering::AcqRel, Ordering::Acquire);
        self.shared.over.notify_waiters();
        ended.is_ok() || self.runs() & OVER != 0
    }

    /// It is over, and those [beside](Self::beside) it go on.
    pub(crate) fn end(&self) {
        self.shared.runs.fetch_or(OVER, Ordering::AcqRel);
        self.shared.over.notify_waiters();
    }

    /// Waits until it is over, if it is [closed](Self::close): then its service is about to be told to stop.
    pub(crate) async fn until_over(&self) {
        loop {
            let mut over = pin!(self.shared.over.notified());
            over.as_mut().enable();
            if self.runs() & OVER != 0 || !self.is_valid() || self.runs() & CLOSED == 0 {
                return;
            }
            over.await;
        }
    }

    pub(crate) fn revoke(&self) {
        self.shared.valid_until.store(0, Ordering::Release);
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Term")
            .field("name", &self.name())
            .field("fence", &self.fence())
            .field("holder", &self.holder())
            .field("left", &self.left())
            .finish()
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Term;
    use crate::clock;

    #[test]
    fn a_term_that_has_ended_leaves_those_beside_it_valid() {
        let until = clock::now() + Duration::from_secs(60);
        let member = Term::new("member".into(), "a".into(), 1, until);
        let [one, two] = ["1", "2"].map(|shard| member.beside(shard.to_owned(), 2));
        one.clone().end();
        let valid = [&member, &one, &two].map(Term::is_valid);
        assert_eq!(valid, [true, false, true]);
        member.extend(until + Duration::from_secs(60));
        assert!(!one.is_valid() && one.left().is_zero());
        member.revoke();
        assert!(!two.is_valid());
    }

    #[test]
    fn a_term_ends_only_if_nothing_was_run_since_it_was_looked_at() {
        let term = Term::new(
            "a".into(),
            "b".into(),
            1,
            clock::now() + Duration::from_secs(60),
        );
        let before = term.runs();
        assert!(term.begin_run());
        assert!(!term.end_after(before) && term.is_valid());
        let now = term.runs();
        assert!(term.end_after(now) && term.end_after(before));
        assert!(!term.begin_run() && !term.is_valid());
    }

    #[test]
    fn no_run_begins_in_a_term_that_is_closed_and_it_stays_valid() {
        let until = clock::now() + Duration::from_secs(60);
        let term = Term::new("a".into(), "b".into(), 1, until);
        assert!(term.begin_run());
        term.close();
        assert!(!term.begin_run() && term.is_valid());
        assert!(term.end_after(term.runs()) && !term.is_valid());
    }

    #[test]
    fn nothing_is_run_in_a_term_that_has_run_out_or_was_taken_away() {
        let term = |until| Term::new("a".into(), "b".into(), 1, until);
        assert!(!term(clock::now()).begin_run());
        let taken = term(clock::now() + Duration::from_secs(60));
        taken.revoke();
        assert!(!taken.begin_run());
    }
}
