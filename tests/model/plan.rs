//! The settings of a runner, by chance.

use std::time::Duration;

use fastrand::Rng;
use startstop_core::{Backoff, Cause, Readiness, RestartPolicy, Settings};

/// Later than anything that happens.
pub(super) const NEVER: u64 = u64::MAX;

/// Milliseconds are the unit of all times here: they are that of tokio's timers.
pub(super) fn millis(time: u64) -> Duration {
    if time == NEVER {
        Duration::MAX
    } else {
        Duration::from_millis(time)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) readiness: Readiness,
    pub(super) start_timeout: u64,
    pub(super) stop_timeout: u64,
    pub(super) drain: u64,
    pub(super) shutdown_always: bool,
    /// The service has a `shutdown` of its own.
    pub(super) hooked: bool,
    pub(super) watchdog: Option<u64>,
    pub(super) capacity: usize,
    pub(super) policy: Policy,
}

#[derive(Debug, Clone)]
pub(super) struct Policy {
    pub(super) on: On,
    /// The delays: the first, by what each grows, and the most.
    pub(super) first: u64,
    pub(super) factor: u64,
    pub(super) most: u64,
    /// At most so many restarts within such a time.
    pub(super) limit: Option<(u32, u64)>,
    pub(super) reset_after: u64,
    /// A panic is not worth another attempt.
    pub(super) fears_panics: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Never,
    Failure,
    Always,
}

/// A time that is not likely to end together with another one.
pub(super) fn time(rng: &mut Rng) -> u64 {
    // Short ones as often as long ones, so that either may come first.
    let most = 1 << rng.u32(5..14);
    rng.u64(1..most)
}

impl Plan {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let stop_timeout = match rng.u8(..20) {
            0 => 0,
            1 => NEVER,
            _ => time(rng),
        };
        let readiness = [
            Readiness::Immediate,
            Readiness::Explicit,
            Readiness::Completion,
        ];
        Self {
            readiness: readiness[rng.usize(..3)],
            start_timeout: if rng.u8(..8) == 0 { NEVER } else { time(rng) },
            stop_timeout,
            drain: if rng.u8(..4) == 0 { time(rng) } else { 0 },
            // Open: whether a stop timeout of zero leaves any time for `shutdown`.
            shutdown_always: stop_timeout > 0 && rng.u8(..3) == 0,
            hooked: rng.u8(..4) > 0,
            watchdog: (rng.u8(..4) == 0).then(|| time(rng)),
            capacity: [0, 1, 2, 3, 5, 64][rng.usize(..6)],
            policy: Policy::draw(rng),
        }
    }

    pub(super) fn settings(&self) -> Settings {
        let settings = Settings::new()
            .name("scripted")
            .readiness(self.readiness)
            .start_timeout(millis(self.start_timeout))
            .stop_timeout(millis(self.stop_timeout))
            .drain(millis(self.drain))
            .shutdown_always(self.shutdown_always)
            .history_capacity(self.capacity)
            .restart(self.policy.policy());
        match self.watchdog {
            Some(silence) => settings.watchdog(millis(silence)),
            None => settings,
        }
    }
}

impl Policy {
    fn draw(rng: &mut Rng) -> Self {
        let first = if rng.u8(..5) == 0 { 0 } else { time(rng) };
        let limited = rng.u8(..3) > 0;
        Self {
            on: [On::Never, On::Failure, On::Always][rng.usize(..3)],
            first,
            factor: rng.u64(1..4),
            most: first.max(time(rng)),
            limit: limited.then(|| (rng.u32(..5), 10 * time(rng))),
            reset_after: time(rng),
            fears_panics: rng.u8(..4) == 0,
        }
    }

    fn policy(&self) -> RestartPolicy {
        let policy = match self.on {
            On::Never => return RestartPolicy::never(),
            On::Failure => RestartPolicy::on_failure(),
            On::Always => RestartPolicy::always(),
        };
        let policy = policy
            .backoff(self.backoff())
            .reset_after(millis(self.reset_after));
        let policy = match self.limit {
            Some((max, window)) => policy.limit(max, millis(window)),
            None => policy.forever(),
        };
        if self.fears_panics {
            return policy.retry_if(|failure| failure.cause() != Cause::Panic);
        }
        policy
    }

    fn backoff(&self) -> Backoff {
        if self.first == 0 {
            return Backoff::none();
        }
        #[allow(clippy::cast_precision_loss)] // It is 1, 2 or 3.
        let factor = self.factor as f64;
        Backoff::exponential(millis(self.first))
            .factor(factor)
            .max(millis(self.most))
            .jitter(0.0)
    }
}
