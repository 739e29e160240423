//! When a failed attempt is followed by another, and after which delay.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::report::failure::Failure;

/// A rule for whether another attempt follows one that has ended, in the same cycle.
///
/// The defaults of [`on_failure`](Self::on_failure) and [`always`](Self::always): exponential
/// backoff from 100 ms, doubling, at most 30 s, jitter 0.2; at most 10 restarts in 10 minutes; the
/// delay begins anew after a run of 60 s.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use startstop_core::{Backoff, RestartPolicy, Settings};
///
/// let policy = RestartPolicy::on_failure()
///     .backoff(Backoff::exponential(Duration::from_secs(1)).max(Duration::from_secs(8)))
///     .limit(5, Duration::from_secs(60));
/// let settings = Settings::new().restart(policy);
/// assert!(settings.get_restart().is_some());
/// ```
#[derive(Clone)]
pub struct RestartPolicy {
    pub(crate) on: On,
    pub(crate) backoff: Backoff,
    pub(crate) limit: Option<(u32, Duration)>,
    pub(crate) reset_after: Duration,
    pub(crate) retry_if: Option<RetryIf>,
}

/// Says of a failure whether another attempt is worth it.
pub(crate) type RetryIf = Arc<dyn Fn(&Failure) -> bool + Send + Sync>;

/// The kind of end that is followed by another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Never,
    Failure,
    Always,
}

impl RestartPolicy {
    fn new(on: On) -> Self {
        Self {
            on,
            backoff: Backoff::default(),
            limit: Some((10, Duration::from_secs(600))),
            reset_after: Duration::from_secs(60),
            retry_if: None,
        }
    }

    /// Never restarts: the default.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{RestartPolicy, Runner, Settings, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let job = once(async |_cx| Err::<(), _>("disk full"));
    /// let runner = Runner::with_settings(job, Settings::new().restart(RestartPolicy::never()));
    /// runner.start().await.unwrap_err();
    /// assert_eq!(runner.status().attempts(), 1);
    /// # }
    /// ```
    pub fn never() -> Self {
        Self::new(On::Never)
    }

    /// Restarts after an error, a panic, a late start or a missed heartbeat, not after `Ok`.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{RestartPolicy, Runner, Settings, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let job = once(async |cx| if cx.attempt() == 1 { Err("busy") } else { Ok(()) });
    /// let runner = Runner::with_settings(job, Settings::new().restart(RestartPolicy::on_failure()));
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.status().attempts(), 2);
    /// # }
    /// ```
    pub fn on_failure() -> Self {
        Self::new(On::Failure)
    }

    /// Restarts after `Ok` too.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Backoff, RestartPolicy, Runner, Settings, State, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let policy = RestartPolicy::always().backoff(Backoff::none()).forever();
    /// let service = service_fn(async |cx| if cx.attempt() == 3 { cx.cancelled().await });
    /// let runner = Runner::with_settings(service, Settings::new().restart(policy));
    /// runner.request_start();
    /// while runner.status().attempts() < 3 {
    ///     tokio::task::yield_now().await;
    /// }
    /// assert_eq!(runner.status().restarts(), 2);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn always() -> Self {
        Self::new(On::Always)
    }

    /// Sets the delays between attempts.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Backoff, RestartPolicy, Runner, Settings, once};
    /// use tokio::time::Instant;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let policy = RestartPolicy::on_failure().backoff(Backoff::constant(Duration::from_secs(5)));
    /// let job = once(async |cx| if cx.attempt() == 1 { Err("busy") } else { Ok(()) });
    /// let runner = Runner::with_settings(job, Settings::new().restart(policy));
    /// let begin = Instant::now();
    /// runner.start().await.unwrap();
    /// assert_eq!(begin.elapsed().as_secs(), 5);
    /// # }
    /// ```
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Allows at most `max` restarts within any `window`; then the cycle fails.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{RestartPolicy, Runner, Settings, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let policy = RestartPolicy::on_failure().limit(2, Duration::from_secs(60));
    /// let job = once(async |_cx| Err::<(), _>("disk full"));
    /// let runner = Runner::with_settings(job, Settings::new().restart(policy));
    /// runner.start().await.unwrap_err();
    /// assert_eq!(runner.status().attempts(), 3); // the first, and two restarts
    /// # }
    /// ```
    pub fn limit(mut self, max: u32, window: Duration) -> Self {
        self.limit = Some((max, window));
        self
    }

    /// Removes the limit: restarts go on for ever.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Backoff, RestartPolicy, Runner, Settings, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let policy = RestartPolicy::on_failure().backoff(Backoff::none()).forever();
    /// let job = once(async |cx| if cx.attempt() < 100 { Err("busy") } else { Ok(()) });
    /// let runner = Runner::with_settings(job, Settings::new().restart(policy));
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.status().restarts(), 99);
    /// # }
    /// ```
    pub fn forever(mut self) -> Self {
        self.limit = None;
        self
    }

    /// Begins the delays anew after a run of at least this long in
    /// [`Running`](crate::State::Running). Default: 60 s.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use startstop_core::{RestartPolicy, Settings};
    /// let policy = RestartPolicy::on_failure().reset_after(Duration::from_secs(5));
    /// assert!(Settings::new().restart(policy).get_restart().is_some());
    /// ```
    pub fn reset_after(mut self, healthy: Duration) -> Self {
        self.reset_after = healthy;
        self
    }

    /// Restarts only after failures for which `f` is true. A panic of `f` counts as false, and is recorded
    /// as a failure after the one that `f` was asked about.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{RestartPolicy, Runner, Settings, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let policy = RestartPolicy::on_failure().retry_if(|failure| failure.error().to_string() == "busy");
    /// let job = once(async |cx| if cx.attempt() == 1 { Err::<(), _>("busy") } else { Err("disk full") });
    /// let runner = Runner::with_settings(job, Settings::new().restart(policy));
    /// runner.start().await.unwrap_err();
    /// assert_eq!(runner.status().attempts(), 2);
    /// # }
    /// ```
    pub fn retry_if(mut self, f: impl Fn(&Failure) -> bool + Send + Sync + 'static) -> Self {
        self.retry_if = Some(Arc::new(f));
        self
    }
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self::never()
    }
}

impl fmt::Debug for RestartPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestartPolicy")
            .field("on", &self.on)
            .field("backoff", &self.backoff)
            .field("limit", &self.limit)
            .field("reset_after", &self.reset_after)
            .field("retry_if", &self.retry_if.is_some())
            .finish()
    }
}

/// The delays between the attempts of a [`RestartPolicy`].
///
/// The `n`-th delay is `first × factorⁿ⁻¹`, at most `max`; then each is scaled by a random factor
/// within `1 ± jitter`, so that services that failed together do not come back together.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use startstop_core::Backoff;
///
/// let backoff = Backoff::exponential(Duration::from_millis(50))
///     .factor(3.0)
///     .max(Duration::from_secs(5))
///     .jitter(0.1);
/// assert_ne!(backoff, Backoff::none());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    first: Duration,
    factor: f64,
    max: Duration,
    jitter: f64,
}

impl Backoff {
    /// Restarts without a delay. The runtime still gets its turn between two attempts.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Backoff, RestartPolicy, Runner, Settings, once};
    /// use tokio::time::Instant;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let policy = RestartPolicy::on_failure().backoff(Backoff::none());
    /// let job = once(async |cx| if cx.attempt() == 1 { Err("busy") } else { Ok(()) });
    /// let runner = Runner::with_settings(job, Settings::new().restart(policy));
    /// let begin = Instant::now();
    /// runner.start().await.unwrap();
    /// assert!(begin.elapsed().is_zero());
    /// # }
    /// ```
    pub fn none() -> Self {
        Self::constant(Duration::ZERO)
    }

    /// Waits for the same delay each time, without jitter.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Backoff, RestartPolicy, Runner, Settings, once};
    /// use tokio::time::Instant;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let policy = RestartPolicy::on_failure().backoff(Backoff::constant(Duration::from_secs(5)));
    /// let job = once(async |cx| if cx.attempt() < 3 { Err("busy") } else { Ok(()) });
    /// let runner = Runner::with_settings(job, Settings::new().restart(policy));
    /// let begin = Instant::now();
    /// runner.start().await.unwrap();
    /// assert_eq!(begin.elapsed().as_secs(), 10);
    /// # }
    /// ```
    pub fn constant(delay: Duration) -> Self {
        Self {
            first: delay,
            factor: 1.0,
            max: Duration::MAX,
            jitter: 0.0,
        }
    }

    /// Delays that double from `first` up to 30 s, with jitter 0.2.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Backoff, RestartPolicy, Runner, Settings, once};
    /// use tokio::time::Instant;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let backoff = Backoff::exponential(Duration::from_secs(1)).jitter(0.0);
    /// let job = once(async |cx| if cx.attempt() < 4 { Err("busy") } else { Ok(()) });
    /// let settings = Settings::new().restart(RestartPolicy::on_failure().backoff(backoff));
    /// let runner = Runner::with_settings(job, settings);
    /// let begin = Instant::now();
    /// runner.start().await.unwrap();
    /// assert_eq!(begin.elapsed().as_secs(), 1 + 2 + 4);
    /// # }
    /// ```
    pub fn exponential(first: Duration) -> Self {
        Self {
            first,
            factor: 2.0,
            max: Duration::from_secs(30),
            jitter: 0.2,
        }
    }

    /// Sets by how much each delay is longer than the one before. Default: 2.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Backoff, RestartPolicy, Runner, Settings, once};
    /// use tokio::time::Instant;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let backoff = Backoff::exponential(Duration::from_secs(1)).factor(10.0).jitter(0.0);
    /// let job = once(async |cx| if cx.attempt() < 3 { Err("busy") } else { Ok(()) });
    /// let settings = Settings::new().restart(RestartPolicy::on_failure().backoff(backoff));
    /// let runner = Runner::with_settings(job, settings);
    /// let begin = Instant::now();
    /// runner.start().await.unwrap();
    /// assert_eq!(begin.elapsed().as_secs(), 1 + 10);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `factor` is not a number, infinite or below 1.
    pub fn factor(mut self, factor: f64) -> Self {
        assert!(
            factor.is_finite() && factor >= 1.0,
            "the backoff factor must be at least 1"
        );
        self.factor = factor;
        self
    }

    /// Sets the longest delay before jitter. Default: 30 s.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Backoff, RestartPolicy, Runner, Settings, once};
    /// use tokio::time::Instant;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let backoff = Backoff::exponential(Duration::from_secs(1)).max(Duration::from_secs(3)).jitter(0.0);
    /// let job = once(async |cx| if cx.attempt() < 4 { Err("busy") } else { Ok(()) });
    /// let settings = Settings::new().restart(RestartPolicy::on_failure().backoff(backoff));
    /// let runner = Runner::with_settings(job, settings);
    /// let begin = Instant::now();
    /// runner.start().await.unwrap();
    /// assert_eq!(begin.elapsed().as_secs(), 1 + 2 + 3);
    /// # }
    /// ```
    pub fn max(mut self, delay: Duration) -> Self {
        self.max = delay;
        self
    }

    /// Sets by how much, up or down, a delay is scaled at random. Default: 0.2.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Backoff, RestartPolicy, Runner, Settings, once};
    /// use tokio::time::Instant;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let backoff = Backoff::constant(Duration::from_secs(10)).jitter(0.5);
    /// let job = once(async |cx| if cx.attempt() == 1 { Err("busy") } else { Ok(()) });
    /// let settings = Settings::new().restart(RestartPolicy::on_failure().backoff(backoff));
    /// let runner = Runner::with_settings(job, settings);
    /// let begin = Instant::now();
    /// runner.start().await.unwrap();
    /// assert!((5..=15).contains(&begin.elapsed().as_secs()));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `jitter` is not within `0.0..=1.0`.
    pub fn jitter(mut self, jitter: f64) -> Self {
        assert!(
            (0.0..=1.0).contains(&jitter),
            "the backoff jitter must be within 0.0..=1.0"
        );
        self.jitter = jitter;
        self
    }

    /// Returns the delay before restart `step`, from 0; `random`, within `0.0..1.0`, picks the jitter.
    pub(crate) fn delay(&self, step: u32, random: impl FnOnce() -> f64) -> Duration {
        if self.first.is_zero() {
            // However often it is multiplied, also by a factor that has grown to infinity.
            return Duration::ZERO;
        }
        let step = i32::try_from(step).unwrap_or(i32::MAX);
        let grown = self.first.as_secs_f64() * self.factor.powi(step);
        let capped = grown.min(self.max.as_secs_f64());
        let scaled = capped * (1.0 + self.jitter * (2.0 * random() - 1.0));
        Duration::try_from_secs_f64(scaled).unwrap_or(Duration::MAX)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::exponential(Duration::from_millis(100))
    }
}
