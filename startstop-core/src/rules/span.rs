//! How long a stop of a service can take, as numbers. Pure.

use std::time::Duration;

/// How long a stop of a service can take at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The time before its context is cancelled.
    pub(crate) drain: Duration,
    /// The time from then until the stop returns, aborts included.
    pub(crate) stop: Duration,
    /// The time that what was aborted has to yield; of a composite the longest of its parts.
    pub(crate) abort: Duration,
}

/// The settings of a service that limit its stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// `None` where it is not set.
    pub(crate) drain: Option<Duration>,
    pub(crate) stop_timeout: Duration,
    pub(crate) abort_timeout: Duration,
}

impl Span {
    /// Returns the span of a service with these limits, whose parts have these spans and take `grace` to stop,
    /// where it is made of any.
    pub(crate) fn new(limits: Limits, grace: Option<Duration>, parts: &[Self]) -> Self {
        let drain = parts.iter().map(|part| part.drain).max();
        let drain = limits.drain.or(drain).unwrap_or_default();
        let below = parts.iter().map(|part| part.abort).max();
        let abort = match grace {
            Some(_) => below.unwrap_or(limits.abort_timeout),
            // What it has attached is beside it.
            None => below.unwrap_or_default().max(limits.abort_timeout),
        };
        let stop = match grace {
            Some(grace) if limits.stop_timeout == Duration::MAX => grace,
            _ => limits.stop_timeout.saturating_add(abort),
        };
        Self { drain, stop, abort }
    }

    /// All of it.
    pub(crate) fn total(self) -> Duration {
        self.drain.saturating_add(self.stop)
    }
}

/// The part of the stop of a group that comes after a member, along the longest path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Tail {
    /// How long that may take; `None` after the last.
    below: Option<Duration>,
}

/// The part of the time that is left which is for one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeShare {
    /// Until what is left of it is aborted.
    pub(crate) stop: Duration,
    /// Until those behind it have their turn.
    pub(crate) all: Duration,
}

impl Tail {
    /// This tail with a member before it.
    pub(crate) fn before(self, span: Span, left: Duration) -> Self {
        let below = self.below.unwrap_or_default();
        Self {
            below: Some(below.saturating_add(span.weight(self, left))),
        }
    }
}

impl Span {
    /// Returns how long it may take until it is aborted, where so much time is left.
    fn graceful(self, left: Duration) -> Duration {
        match self.stop {
            Duration::MAX => left,
            stop => stop.saturating_sub(self.abort),
        }
    }

    /// Returns what it counts for. The last is aborted at the deadline, and has its time to yield beyond that.
    fn weight(self, tail: Tail, left: Duration) -> Duration {
        match (tail.below, self.stop) {
            (None, _) => self.graceful(left),
            (Some(_), Duration::MAX) => left,
            (Some(_), stop) => stop,
        }
    }

    /// Returns its share of the time that is left, if that is less than it and those after it may take.
    pub(crate) fn share(self, tail: Tail, left: Duration) -> Option<TimeShare> {
        let own = self.weight(tail, left);
        let path = own.saturating_add(tail.below.unwrap_or_default());
        if path <= left {
            return None;
        }
        let all = part_of(left, own, path);
        Some(TimeShare {
            stop: part_of(all, self.graceful(left), own),
            all,
        })
    }
}

/// `whole * part / of`, for a part that is no more than what it is of.
fn part_of(owner: Duration, part: Duration, of: Duration) -> Duration {
    if of.is_zero() {
        return owner;
    }
    let nanos = owner.as_nanos().saturating_mul(part.as_nanos()) / of.as_nanos();
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)).min(owner)
}

#[cfg(test)]
mod tests {
    use super::{Limits, Span, Tail};
    use std::time::Duration;

    const S: Duration = Duration::from_secs(1);

    const OF_A_SERVICE: Limits = Limits {
        drain: None,
        stop_timeout: S,
        abort_timeout: S,
    };

    #[test]
    fn a_service_takes_its_drain_and_both_timeouts() {
        let limits = Limits {
            drain: Some(3 * S),
            stop_timeout: 5 * S,
            abort_timeout: 2 * S,
        };
        assert_eq!(Span::new(limits, None, &[]).total(), 10 * S);
    }

    #[test]
    fn a_whole_without_a_timeout_takes_what_its_parts_do() {
        let limits = Limits {
            stop_timeout: Duration::MAX,
            ..OF_A_SERVICE
        };
        let part = Span {
            drain: 4 * S,
            stop: 6 * S,
            abort: 2 * S,
        };
        let span = Span::new(limits, Some(6 * S), &[part]);
        assert_eq!(span, part);
    }

    #[test]
    fn a_whole_with_a_timeout_takes_that_and_the_longest_abort() {
        let limits = Limits {
            drain: Some(S),
            stop_timeout: 3 * S,
            ..OF_A_SERVICE
        };
        let part = |abort| Span {
            drain: 4 * S,
            stop: 60 * S,
            abort,
        };
        let span = Span::new(limits, Some(120 * S), &[part(2 * S), part(7 * S)]);
        assert_eq!(span.total(), 11 * S);
    }

    fn of(stop: u32, abort: u32) -> Span {
        Span {
            drain: Duration::ZERO,
            stop: (stop + abort) * S,
            abort: abort * S,
        }
    }

    #[test]
    fn the_last_member_has_all_that_is_left() {
        for stop in [30, 3_000] {
            let share = of(stop, 2).share(Tail::default(), 3 * S).unwrap();
            assert_eq!(share.stop, 3 * S);
        }
        assert_eq!(
            of(1, 2).share(Tail::default(), 3 * S),
            None,
            "its own time is shorter"
        );
    }

    #[test]
    fn members_share_in_proportion_to_what_they_may_take() {
        let (long, short) = (of(6, 2), of(4, 60));
        let behind = Tail::default().before(short, 6 * S);
        let share = long.share(behind, 6 * S).unwrap();
        assert_eq!((share.all, share.stop), (4 * S, 3 * S));
        assert_eq!(long.share(behind, 12 * S), None, "there is time for all");
    }

    #[test]
    fn what_takes_for_ever_counts_as_all_that_is_left() {
        let forever = Span {
            stop: Duration::MAX,
            ..of(0, 2)
        };
        let behind = Tail::default().before(forever, 6 * S);
        let share = forever.share(behind, 6 * S).unwrap();
        assert_eq!((share.all, share.stop), (3 * S, 3 * S));
    }

    #[test]
    fn a_service_that_waits_for_ever_has_no_end() {
        let limits = Limits {
            stop_timeout: Duration::MAX,
            ..OF_A_SERVICE
        };
        assert_eq!(Span::new(limits, None, &[]).total(), Duration::MAX);
    }
}
