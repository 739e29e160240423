//! `Term`: the right to work for a while, and the number that tells it from those before.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

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
    /// This one is over, whatever becomes of those beside it.
    over: AtomicBool,
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
                over: AtomicBool::new(false),
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
                over: AtomicBool::new(false),
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
        if self.shared.over.load(Ordering::Acquire) {
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

    /// It is over, and those [beside](Self::beside) it go on.
    pub(crate) fn end(&self) {
        self.shared.over.store(true, Ordering::Release);
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
}
