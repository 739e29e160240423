//! `Timing`: the four numbers that an election goes by, and which of them fit together.

use std::time::Duration;

use thiserror::Error;

/// The longest lease: stores count its seconds, and clocks go on behind its end.
pub(crate) const LONGEST: Duration = Duration::from_secs(365 * 86400);

/// The shortest `retry`: timers count milliseconds, and no call of a store is answered in less.
const SHORTEST: Duration = Duration::from_millis(1);

/// How long a lease lasts and when it is renewed.
///
/// The defaults suit a store in the same data centre: a lease of 15 s, renewed each 2 s; a leader that
/// could not renew for 7 s stops its service, which then has 7.25 s to end.
///
/// # The numbers that follow
///
/// With `lease`, `renew_by`, `retry` and `skew`, and with `grace` for the longest time that the led
/// service takes to stop:
///
/// - A term is valid for [`validity`](Self::validity) = `lease × (1 − skew)` by the clock of its leader,
///   counted from before the request that took or renewed it was sent. A follower waits for the whole
///   `lease` by its own clock, counted from after the answer that showed the record. So even if the
///   clock of the follower is faster by the whole `skew`, it takes the lease when the term of the other
///   is over: there is never an overlap.
/// - A leader is told to stop `renew_by` after the last renewal that was answered was sent, at the latest;
///   then `validity − renew_by ≥ grace` is left.
/// - When a leader dies, another one leads after `lease × (1 + skew) + retry` and the time that the
///   store was down, at the latest; with a store that shows a death at once it takes a moment. Followers of a
///   store that has been away for more than half a minute ask it less and less, once a lease at the least: it
///   is found again after a sixteenth of its absence, and met by them one after the other.
/// - When a leader stops in order, another one leads as soon as the store has told it, or after `retry`
///   where the store cannot tell.
/// - A leader whose record was deleted by hand, or taken by force, is told within `retry`.
///
/// # Examples
///
/// ```
/// use startstop_fleet::Timing;
/// use std::time::Duration;
///
/// let timing = Timing { lease: Duration::from_secs(30), ..Timing::default() };
/// assert_eq!(timing.validity(), Duration::from_millis(28_500));
/// assert!(timing.check(Duration::from_secs(20)).is_ok());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// How long a lease is in force after its last renewal. 15 s by default.
    pub lease: Duration,
    /// How long a leader tries to renew before it stops its service. 7 s by default.
    pub renew_by: Duration,
    /// How often a leader renews, and how often a follower looks where the store does not notify. 2 s by
    /// default. Each call has three quarters of it.
    pub retry: Duration,
    /// By which share the clock of one machine may run faster than that of another. 0.05 by default.
    pub skew: f64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(15),
            renew_by: Duration::from_secs(7),
            retry: Duration::from_secs(2),
            skew: 0.05,
        }
    }
}

impl Timing {
    /// Returns how long a term is valid by the clock of its leader: `lease × (1 − skew)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_fleet::Timing;
    /// use std::time::Duration;
    ///
    /// assert_eq!(Timing::default().validity(), Duration::from_millis(14_250));
    /// ```
    #[must_use]
    pub fn validity(&self) -> Duration {
        let share = if self.skew.is_finite() {
            self.skew.clamp(0.0, 1.0)
        } else {
            1.0
        };
        let margin = Duration::try_from_secs_f64(self.lease.as_secs_f64() * share);
        self.lease.saturating_sub(margin.unwrap_or(self.lease))
    }

    /// Returns how long one call of the store may take: three quarters of `retry`.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_fleet::Timing;
    /// use std::time::Duration;
    ///
    /// assert_eq!(Timing::default().call_limit(), Duration::from_millis(1_500));
    /// ```
    #[must_use]
    pub fn call_limit(&self) -> Duration {
        self.retry / 4 * 3
    }

    /// Shortens what is longer.
    pub(crate) fn at_most(self, longest: Duration) -> Self {
        Self {
            lease: self.lease.min(longest),
            renew_by: self.renew_by.min(longest),
            retry: self.retry.min(longest),
            skew: self.skew,
        }
    }

    /// Returns how long a follower waits before it asks a store again that has not answered for so long: `retry`, and more
    /// only when it has been away for long, for what comes on top of its absence is to be little.
    pub(crate) fn pause(&self, failing_for: Duration) -> Duration {
        (failing_for / 16).min(self.lease).max(self.retry)
    }

    /// Returns how long another replica needs at most to lead when a leader has died.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_fleet::Timing;
    /// use std::time::Duration;
    ///
    /// assert_eq!(Timing::default().failover(), Duration::from_millis(17_750));
    /// ```
    #[must_use]
    pub fn failover(&self) -> Duration {
        let margin = self.lease.saturating_sub(self.validity());
        self.lease.saturating_add(margin).saturating_add(self.retry)
    }

    /// Checks that a service which takes up to `grace` to stop has ended before its lease is over.
    ///
    /// # Errors
    ///
    /// - [`TimingError::Zero`]: a duration is zero.
    /// - [`TimingError::Long`]: the lease is longer than a year.
    /// - [`TimingError::Short`]: `retry` is shorter than a millisecond.
    /// - [`TimingError::Skew`]: the skew is no number from 0 up to, but without, 1.
    /// - [`TimingError::Retry`]: `retry` leaves no second try before `renew_by`.
    /// - [`TimingError::Grace`]: `renew_by + grace > lease × (1 − skew)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_fleet::Timing;
    /// use std::time::Duration;
    ///
    /// let error = Timing::default().check(Duration::from_secs(10)).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "a service that takes 10s to stop may outlive its lease: renew_by 7s + 10s > lease 15s × (1 − skew 0.05) = 14.25s; \
    ///      make the lease longer, or renew_by or the stop timeout shorter"
    /// );
    /// ```
    pub fn check(&self, grace: Duration) -> Result<(), TimingError> {
        let zero = [
            ("lease", self.lease),
            ("renew_by", self.renew_by),
            ("retry", self.retry),
        ];
        if let Some((name, _)) = zero.into_iter().find(|(_, duration)| duration.is_zero()) {
            return Err(TimingError::Zero { name });
        }
        if self.lease > LONGEST {
            return Err(TimingError::Long { lease: self.lease });
        }
        if self.retry < SHORTEST {
            return Err(TimingError::Short { retry: self.retry });
        }
        if !(0.0..1.0).contains(&self.skew) {
            return Err(TimingError::Skew { skew: self.skew });
        }
        if self
            .retry
            .checked_mul(2)
            .is_none_or(|twice| twice > self.renew_by)
        {
            return Err(TimingError::Retry {
                retry: self.retry,
                renew_by: self.renew_by,
            });
        }
        if self
            .renew_by
            .checked_add(grace)
            .is_none_or(|needed| needed > self.validity())
        {
            return Err(TimingError::Grace {
                timing: *self,
                grace,
            });
        }
        Ok(())
    }
}

/// Why a [`Timing`] is refused.
///
/// # Examples
///
/// ```
/// use startstop_fleet::{Timing, TimingError};
/// use std::time::Duration;
///
/// let timing = Timing { retry: Duration::from_secs(5), ..Timing::default() };
/// let error = timing.check(Duration::from_secs(1)).unwrap_err();
/// assert!(matches!(error, TimingError::Retry { .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum TimingError {
    /// A duration is zero.
    #[error("{name} is zero")]
    #[non_exhaustive]
    Zero {
        /// Which one.
        name: &'static str,
    },
    /// The lease is longer than a year.
    #[error("a lease of {lease:?} is too long: a year is the most")]
    #[non_exhaustive]
    Long {
        /// The value that was given.
        lease: Duration,
    },
    /// `retry` is shorter than a millisecond.
    #[error("a retry of {retry:?} leaves no time for a call: a millisecond is the least")]
    #[non_exhaustive]
    Short {
        /// The value that was given.
        retry: Duration,
    },
    /// The skew is no number from 0 up to, but without, 1.
    #[error("a skew of {skew} is none: it is a share, from 0 up to, but without, 1")]
    #[non_exhaustive]
    Skew {
        /// The value that was given.
        skew: f64,
    },
    /// `retry` leaves no second try before `renew_by`.
    #[error(
        "renew_by {renew_by:?} leaves no second try: it has to be at least twice retry {retry:?}"
    )]
    #[non_exhaustive]
    Retry {
        /// How often a leader renews.
        retry: Duration,
        /// How long it tries.
        renew_by: Duration,
    },
    /// The service may outlive its lease.
    #[error(
        "a service that takes {grace:?} to stop may outlive its lease: renew_by {:?} + {grace:?} > lease {:?} × (1 − skew {}) = {:?}; \
         make the lease longer, or renew_by or the stop timeout shorter",
        timing.renew_by, timing.lease, timing.skew, timing.validity()
    )]
    #[non_exhaustive]
    Grace {
        /// The timing that was checked.
        timing: Timing,
        /// How long the service takes to stop.
        grace: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::{Duration, Timing, TimingError};

    #[test]
    fn a_retry_that_leaves_no_time_for_a_call_is_refused() {
        let check = |retry| {
            let timing = Timing {
                retry,
                ..Timing::default()
            };
            timing.check(Duration::ZERO)
        };
        let retry = Duration::from_micros(999);
        let error = check(retry).unwrap_err();
        assert_eq!(error, TimingError::Short { retry });
        assert_eq!(
            error.to_string(),
            "a retry of 999µs leaves no time for a call: a millisecond is the least"
        );
        assert_eq!(check(Duration::from_millis(1)), Ok(()));
    }

    #[test]
    fn a_lease_without_end_is_refused() {
        for skew in [0.05, 1.0, f64::NAN] {
            let lease = Duration::MAX;
            let timing = Timing {
                lease,
                skew,
                ..Timing::default()
            };
            assert_eq!(
                timing.check(Duration::ZERO),
                Err(TimingError::Long { lease })
            );
            assert!(timing.validity() < timing.failover());
        }
        let lease = Duration::from_secs(365 * 86400);
        let timing = Timing {
            lease,
            ..Timing::default()
        };
        assert_eq!(timing.check(Duration::from_secs(7)), Ok(()));
    }
}
