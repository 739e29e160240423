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

/// What the settings of a service say of its stop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// `None` where it is not set.
    pub(crate) drain: Option<Duration>,
    pub(crate) stop_timeout: Duration,
    pub(crate) abort_timeout: Duration,
}

impl Span {
    /// The span of a service with these limits, whose parts have these spans and take `grace` to stop,
    /// where it is made of any.
    pub(crate) fn new(limits: Limits, grace: Option<Duration>, parts: &[Self]) -> Self {
        let drain = parts.iter().map(|part| part.drain).max();
        let drain = limits.drain.or(drain).unwrap_or_default();
        let abort = parts.iter().map(|part| part.abort).max().unwrap_or(limits.abort_timeout);
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

#[cfg(test)]
mod tests {
    use super::{Limits, Span};
    use std::time::Duration;

    const S: Duration = Duration::from_secs(1);

    const OF_A_SERVICE: Limits = Limits { drain: None, stop_timeout: S, abort_timeout: S };

    #[test]
    fn a_service_takes_its_drain_and_both_timeouts() {
        let limits = Limits { drain: Some(3 * S), stop_timeout: 5 * S, abort_timeout: 2 * S };
        assert_eq!(Span::new(limits, None, &[]).total(), 10 * S);
    }

    #[test]
    fn a_whole_without_a_timeout_takes_what_its_parts_do() {
        let limits = Limits { stop_timeout: Duration::MAX, ..OF_A_SERVICE };
        let part = Span { drain: 4 * S, stop: 6 * S, abort: 2 * S };
        let span = Span::new(limits, Some(6 * S), &[part]);
        assert_eq!(span, part);
    }

    #[test]
    fn a_whole_with_a_timeout_takes_that_and_the_longest_abort() {
        let limits = Limits { drain: Some(S), stop_timeout: 3 * S, ..OF_A_SERVICE };
        let part = |abort| Span { drain: 4 * S, stop: 60 * S, abort };
        let span = Span::new(limits, Some(120 * S), &[part(2 * S), part(7 * S)]);
        assert_eq!(span.total(), 11 * S);
    }

    #[test]
    fn a_service_that_waits_for_ever_has_no_end() {
        let limits = Limits { stop_timeout: Duration::MAX, ..OF_A_SERVICE };
        assert_eq!(Span::new(limits, None, &[]).total(), Duration::MAX);
    }
}
