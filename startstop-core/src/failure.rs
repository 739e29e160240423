//! One recorded error: what failed, in which phase, when.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::panic::{BoxError, PanicError, fenced};
use crate::permanent::{Permanent, is_mark};
use crate::state::{Cause, Phase};

/// One recorded error of a service: what failed, in which phase of which cycle, and when.
///
/// It is cheap to clone. Its [`source`](Error::source) is the service's own error.
///
/// # Examples
///
/// ```
/// use startstop_core::{Phase, Runner, StartError, once};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let job = once(async |_cx| std::fs::read("/no/such/file").map(drop));
/// let runner = Runner::new(job);
///
/// let Err(StartError::Failed(failure)) = runner.start().await else { panic!() };
/// let error = failure.error().downcast_ref::<std::io::Error>().unwrap();
/// assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
/// assert_eq!(failure.phase(), Phase::Run);
/// assert_eq!((failure.cycle(), failure.attempt()), (1, 1));
/// assert_eq!(failure.to_string(), r#"service "main" failed in run (cycle 1, attempt 1)"#);
/// # }
/// ```
#[derive(Clone)]
pub struct Failure {
    record: Arc<Record>,
}

#[derive(Clone)]
pub(crate) struct Record {
    pub(crate) error: Arc<dyn Error + Send + Sync>,
    pub(crate) phase: Phase,
    pub(crate) cause: Cause,
    pub(crate) service: Arc<str>,
    pub(crate) cycle: u64,
    pub(crate) attempt: u64,
    pub(crate) at: SystemTime,
    pub(crate) uptime: Duration,
    pub(crate) permanent: bool,
    /// The restart limit that was reached, where this failure is why no restart follows.
    pub(crate) limit: Option<(u32, Duration)>,
}

impl Failure {
    pub(crate) fn new(record: Record) -> Self {
        Self { record: Arc::new(record) }
    }

    /// The same failure, saying that no restart follows because the limit was reached.
    pub(crate) fn at_limit(&self, max: u32, window: Duration) -> Self {
        let mut record = Record::clone(&self.record);
        record.limit = Some((max, window));
        Self::new(record)
    }

    /// Whether restarting is pointless after it.
    pub(crate) fn is_permanent(&self) -> bool {
        self.record.permanent
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.record, &other.record)
    }

    /// The error itself; `downcast_ref` finds the type that the service returned.
    ///
    /// A panic is a [`PanicError`], a deadline or a lost runtime an [`Interruption`]. A top-level
    /// `anyhow::Error` is opaque here: its type hides what it wraps.
    ///
    /// # Examples
    ///
    /// See [`Failure`].
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.record.error
    }

    /// The part of the service that failed.
    ///
    /// # Examples
    ///
    /// See [`Failure`].
    pub fn phase(&self) -> Phase {
        self.record.phase
    }

    /// What kind of failure it was.
    ///
    /// # Examples
    ///
    /// See [`Cause`].
    pub fn cause(&self) -> Cause {
        self.record.cause
    }

    /// The name of the service.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, Settings, once};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let job = once(async |_cx| Err::<(), _>("no such table"));
    /// let runner = Runner::with_settings(job, Settings::new().name("migrate"));
    /// let _ = runner.start().await;
    /// assert_eq!(runner.errors_last().unwrap().service(), "migrate");
    /// # }
    /// ```
    pub fn service(&self) -> &str {
        &self.record.service
    }

    /// The cycle it happened in, from 1.
    ///
    /// # Examples
    ///
    /// See [`Failure`].
    pub fn cycle(&self) -> u64 {
        self.record.cycle
    }

    /// The attempt within the cycle, from 1.
    ///
    /// # Examples
    ///
    /// See [`Failure`].
    pub fn attempt(&self) -> u64 {
        self.record.attempt
    }

    /// When it happened, by the system's clock.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, once};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| Err::<(), _>("no such table")));
    /// let _ = runner.start().await;
    /// assert!(runner.errors_last().unwrap().at() <= std::time::SystemTime::now());
    /// # }
    /// ```
    pub fn at(&self) -> SystemTime {
        self.record.at
    }

    /// How long the attempt had run when it failed.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, once};
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let job = once(async |_cx| {
    ///     tokio::time::sleep(Duration::from_secs(3)).await;
    ///     Err::<(), _>("connection lost")
    /// });
    /// let runner = Runner::new(job);
    /// let _ = runner.start().await;
    /// assert_eq!(runner.errors_last().unwrap().uptime(), Duration::from_secs(3));
    /// # }
    /// ```
    pub fn uptime(&self) -> Duration {
        self.record.uptime
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Record { phase, cause, service, cycle, attempt, limit, .. } = &*self.record;
        let did = match cause {
            Cause::Error => "failed",
            Cause::Panic => "panicked",
            Cause::TimedOut => "timed out",
            Cause::Unresponsive => "did not respond",
            Cause::Aborted => "was aborted",
            Cause::Reported => "reported an error",
        };
        write!(f, "service {service:?} {did} in {phase} (cycle {cycle}, attempt {attempt})")?;
        match limit {
            Some((max, window)) => {
                write!(f, "; no restart: the limit of {max} in {window:?} was reached")
            }
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.error())
    }
}

/// What is known of it, with the texts of the error and of what caused it, outermost first.
#[cfg(feature = "serde")]
impl serde::Serialize for Failure {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let mut errors = Vec::new();
        let mut next: Option<&(dyn Error + 'static)> = Some(self.error());
        while let Some(error) = next {
            errors.push(error.to_string());
            next = error.source();
        }
        let mut fields = serializer.serialize_struct("Failure", 9)?;
        fields.serialize_field("service", self.service())?;
        fields.serialize_field("phase", &self.phase())?;
        fields.serialize_field("cause", &self.cause())?;
        fields.serialize_field("cycle", &self.cycle())?;
        fields.serialize_field("attempt", &self.attempt())?;
        fields.serialize_field("at", &self.at())?;
        fields.serialize_field("uptime", &self.uptime())?;
        fields.serialize_field("message", &self.to_string())?;
        fields.serialize_field("errors", &errors)?;
        fields.end()
    }
}

/// Writes an error and what caused it, a line each: the `Debug` of our errors, so that `?` in
/// `main` reads well.
pub(crate) fn write_chain(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{error}")?;
    let mut source = error.source();
    while let Some(error) = source {
        if !is_mark(error) {
            write!(f, "\n  caused by: {error}")?;
        }
        source = error.source();
    }
    Ok(())
}

/// The error of a failure that is none of the service's own: a deadline passed, or the runtime ended.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use startstop_core::{Interruption, Runner, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let runner = Runner::new(service_fn(async |_cx| std::future::pending::<()>().await));
/// runner.start().await.unwrap();
/// runner.stop().await.unwrap_err();
///
/// let failure = runner.errors_last().unwrap();
/// let error = failure.error().downcast_ref::<Interruption>().unwrap();
/// assert!(matches!(error, Interruption::StopTimedOut { after } if after.as_secs() == 5));
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Interruption {
    /// The service was not ready within `start_timeout`.
    #[error("not ready after {after:?}")]
    StartTimedOut {
        /// How long it had.
        after: Duration,
    },
    /// The service did not end within `stop_timeout`.
    #[error("did not end within {after:?} and was aborted")]
    StopTimedOut {
        /// How long it had.
        after: Duration,
    },
    /// The service did not yield within `abort_timeout` after its abort.
    #[error("does not yield: {part} is still there {after:?} after its abort")]
    Unresponsive {
        /// Which part.
        part: Phase,
        /// How long after the abort.
        after: Duration,
    },
    /// The service was silent for longer than its watchdog allows.
    #[error("no heartbeat for {after:?}")]
    Silent {
        /// The longest silence that is allowed.
        after: Duration,
    },
    /// A policy that restarts always has reached its limit after an attempt that ended well.
    #[error("it ended too often")]
    RestartLimit,
    /// The runtime that the service ran on has ended.
    #[error("the runtime has ended")]
    RuntimeEnded,
}

/// What a part of an attempt came to, when it was no success.
///
/// Built outside of the lock: it looks at errors, which is foreign code.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) cause: Cause,
    pub(crate) error: Arc<dyn Error + Send + Sync>,
    /// Restarting is pointless.
    pub(crate) permanent: bool,
}

impl Fault {
    /// An error that the service has returned. Its conversion and its source chain are foreign code,
    /// which may panic.
    pub(crate) fn of(error: impl FnOnce() -> BoxError) -> Self {
        let looked_at = fenced(|| {
            let error = error();
            let permanent = Permanent::is_in(&*error);
            (error, permanent)
        });
        match looked_at {
            Ok((error, permanent)) => Self { cause: Cause::Error, error: error.into(), permanent },
            Err(panic) => Self::panic(panic),
        }
    }

    pub(crate) fn reported(error: BoxError) -> Self {
        Self { cause: Cause::Reported, error: error.into(), permanent: false }
    }

    pub(crate) fn panic(error: PanicError) -> Self {
        Self { cause: Cause::Panic, error: Arc::new(error), permanent: false }
    }

    pub(crate) fn interruption(error: Interruption) -> Self {
        let cause = match error {
            Interruption::StartTimedOut { .. } | Interruption::StopTimedOut { .. } => {
                Cause::TimedOut
            }
            Interruption::Unresponsive { .. } | Interruption::Silent { .. } => Cause::Unresponsive,
            Interruption::RestartLimit => Cause::Error,
            Interruption::RuntimeEnded => Cause::Aborted,
        };
        Self { cause, error: Arc::new(error), permanent: false }
    }
}
