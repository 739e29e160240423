//! A restart policy at work: how many restarts there were, and which delay comes next.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::report::failure::Failure;
use crate::settings::restart_policy::{On, RestartPolicy};
use crate::sync::clock;

/// The restarts that a policy has seen in this cycle.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    /// Restarts since the start or the last healthy run.
    step: u32,
    recent: Recent,
    /// Restarts over all cycles.
    total: u64,
}

/// When the restarts within the window of a limit were.
#[derive(Debug, Default)]
pub(crate) struct Recent(VecDeque<u64>);

impl Recent {
    /// Returns whether the limit, at most so many within so long, allows another one now, which is counted then.
    pub(crate) fn allows(&mut self, limit: Option<(u32, Duration)>, now: u64) -> bool {
        let Some((max, window)) = limit else {
            return true;
        };
        while self
            .0
            .front()
            .is_some_and(|at| clock::between(*at, now) >= window)
        {
            self.0.pop_front();
        }
        let allowed = self.0.len() < max as usize;
        if allowed {
            self.0.push_back(now);
        }
        allowed
    }
}

/// The decision of a policy on an attempt that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    After(Duration),
    LimitReached(u32, Duration),
}

impl RestartPolicy {
    /// Returns whether the policy restarts after this end at all; `None` is the end with `Ok`.
    pub(crate) fn wants(&self, failure: Option<&Failure>) -> bool {
        match (self.on, failure) {
            (On::Never, _) | (On::Failure, None) => false,
            (On::Always, None) => true,
            (On::Failure | On::Always, Some(failure)) => !failure.is_permanent(),
        }
    }
}

impl Retries {
    /// A new cycle begins.
    pub(crate) fn forget(&mut self) {
        self.step = 0;
        self.recent = Recent::default();
    }

    /// Another attempt of the cycle is made.
    pub(crate) fn made(&mut self) {
        self.total += 1;
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Returns the answer to an attempt that the policy wants restarted and that was `healthy` for so long.
    pub(crate) fn decide(
        &mut self,
        policy: &RestartPolicy,
        healthy: Duration,
        now: u64,
    ) -> Decision {
        if healthy >= policy.reset_after {
            self.step = 0;
        }
        let allowed = self.recent.allows(policy.limit, now);
        if let (false, Some((max, window))) = (allowed, policy.limit) {
            return Decision::LimitReached(max, window);
        }
        let delay = policy.backoff.delay(self.step, random);
        self.step = self.step.saturating_add(1);
        Decision::After(delay)
    }
}

/// Returns a number within `0.0..1.0` that spreads retries, and hides nothing: the hash of nothing, under the keys
/// that a [`RandomState`] draws.
#[allow(clippy::cast_precision_loss)] // 53 bits are what fits.
pub(crate) fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish();
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Decision, Retries, random};
    use crate::settings::restart_policy::{Backoff, RestartPolicy};

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn delays_double_to_their_cap_and_begin_anew_after_a_healthy_run() {
        let first = Duration::from_secs(1);
        let backoff = Backoff::exponential(first)
            .max(Duration::from_secs(8))
            .jitter(0.0);
        let policy = RestartPolicy::on_failure().backoff(backoff);
        let mut retries = Retries::default();
        for seconds in [1, 2, 4, 8, 8] {
            let decision = retries.decide(&policy, Duration::ZERO, 0);
            assert_eq!(decision, Decision::After(Duration::from_secs(seconds)));
        }
        let decision = retries.decide(&policy, Duration::from_secs(60), 0);
        assert_eq!(decision, Decision::After(first));
    }

    #[test]
    fn the_limit_slides() {
        let policy = RestartPolicy::on_failure()
            .backoff(Backoff::none())
            .limit(1, Duration::from_secs(2));
        let mut retries = Retries::default();
        for n in 0..100 {
            let now = n * 21 * SECOND / 10;
            assert_eq!(
                retries.decide(&policy, Duration::ZERO, now),
                Decision::After(Duration::ZERO)
            );
            let soon = now + SECOND;
            let decision = retries.decide(&policy, Duration::ZERO, soon);
            assert_eq!(decision, Decision::LimitReached(1, Duration::from_secs(2)));
        }
    }

    #[test]
    fn jitter_stays_within_its_bounds() {
        let backoff = Backoff::exponential(Duration::from_secs(1)).jitter(0.2);
        assert_eq!(backoff.delay(0, || 0.0), Duration::from_millis(800));
        assert_eq!(backoff.delay(0, || 0.5), Duration::from_secs(1));
        assert_eq!(backoff.delay(1, || 1.0), Duration::from_millis(2400));
        assert_eq!(
            Backoff::constant(Duration::MAX).delay(u32::MAX, || 0.5),
            Duration::MAX
        );
        assert_eq!(
            Backoff::none().factor(2.0).delay(u32::MAX, || 0.5),
            Duration::ZERO
        );
    }

    #[test]
    fn random_numbers_are_spread() {
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            // It is within 0 and 10.
            let tenth = (random() * 10.0) as usize;
            tenths[tenth] += 1;
        }
        // A thousand each; a fifth off is more than six standard deviations.
        assert!(
            tenths.iter().all(|count| (800..=1_200).contains(count)),
            "{tenths:?}"
        );
    }
}
