//! One recorded error: what failed, in which phase, when.

mod find;
mod interruption;
mod raw;
mod format;

use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::report::panic::BoxError;
use crate::report::path::Path;
use crate::report::shared_name::SharedName;
use crate::report::state::{Cause, Phase};

pub(crate) use format::{Summary, write_chain};
pub use interruption::Interruption;
pub(crate) use raw::RawFailure;

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

pub(crate) struct Record {
    pub(crate) error: KeptError,
    pub(crate) phase: Phase,
    pub(crate) cause: Cause,
    pub(crate) service: SharedName,
    pub(crate) path: Path,
    pub(crate) cycle: u64,
    pub(crate) attempt: u64,
    pub(crate) at: SystemTime,
    pub(crate) uptime: Duration,
    pub(crate) permanent: bool,
    /// The name of the task that failed.
    pub(crate) task: Option<Cow<'static, str>>,
    /// The last checkpoint of the service, and how long ago it had passed that.
    pub(crate) checkpoint: Option<(&'static str, Duration)>,
    /// The restart limit that was reached, where this failure is why no restart follows.
    pub(crate) limit: Option<(u32, Duration)>,
    /// The cycle of the whole in whose history this is a failure of a part.
    pub(crate) filed: Option<u64>,
}

/// The error of a record: its own, or that of the record that it says more of.
pub(crate) enum KeptError {
    Own(BoxError),
    Of(Arc<Record>),
}

impl Record {
    fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        let mut record = self;
        loop {
            match &record.error {
                KeptError::Own(error) => return &**error,
                KeptError::Of(first) => record = first,
            }
        }
    }

    /// Returns the same, to say more.
    fn again(record: &Arc<Self>) -> Self {
        // Of the first, so that they are no chain.
        let first = match &record.error {
            KeptError::Own(_) => record,
            KeptError::Of(first) => first,
        };
        Self {
            error: KeptError::Of(Arc::clone(first)),
            phase: record.phase,
            cause: record.cause,
            service: record.service.clone(),
            path: record.path.clone(),
            cycle: record.cycle,
            attempt: record.attempt,
            at: record.at,
            uptime: record.uptime,
            permanent: record.permanent,
            task: record.task.clone(),
            checkpoint: record.checkpoint,
            limit: record.limit,
            filed: record.filed,
        }
    }
}

impl Failure {
    pub(crate) fn new(record: Record) -> Self {
        Self {
            record: Arc::new(record),
        }
    }

    /// The same failure, saying that no restart follows because the limit was reached.
    pub(crate) fn at_limit(&self, max: u32, window: Duration) -> Self {
        Self::new(Record {
            limit: Some((max, window)),
            ..Record::again(&self.record)
        })
    }

    /// The same failure, for the history of what it is a failure of a part of, in this cycle of that.
    pub(crate) fn filed_in(&self, cycle: u64) -> Self {
        Self::new(Record {
            filed: Some(cycle),
            ..Record::again(&self.record)
        })
    }

    /// Returns the cycle of the runner in whose history it is.
    pub(crate) fn cycle_of_history(&self) -> u64 {
        self.record.filed.unwrap_or(self.record.cycle)
    }

    /// Returns whether restarting is pointless after it.
    pub(crate) fn is_permanent(&self) -> bool {
        self.record.permanent
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.record, &other.record)
    }

    /// Returns the error itself; `downcast_ref` finds the type that the service returned.
    ///
    /// A panic is a [`PanicError`](crate::PanicError), a deadline or a lost runtime an
    /// [`Interruption`]. A top-level `anyhow::Error` is opaque here: its type hides what it wraps. The error of a group that has
    /// failed is the `Failure` of a member: [`find`](Self::find) looks through it.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| Err::<(), _>(std::fmt::Error)));
    /// runner.start().await.unwrap_err();
    /// assert!(runner.errors_last().unwrap().error().is::<std::fmt::Error>());
    /// # }
    /// ```
    pub fn error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.record.error()
    }

    /// Returns the first error of this type among the [error itself](Self::error) and what caused it, outermost first; `None`
    /// if there is none.
    ///
    /// It looks through the failures of groups to that of the member, and through [`Permanent`](crate::Permanent),
    /// [`WithExitCode`](crate::WithExitCode) and `io::Error::other` to what they wrap. Of an `anyhow::Error` it sees what lies
    /// beneath the outermost context.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Failure, Group, Permanent, Runner, StartError, once};
    /// use std::num::ParseIntError;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let config = once(async |_cx| "port".parse::<u16>().map(drop).map_err(Permanent::new));
    /// let app = Runner::new(Group::builder("app").with("config", config).build().unwrap());
    ///
    /// let Err(StartError::Failed(failure)) = app.start().await else { panic!() };
    /// assert!(failure.find::<ParseIntError>().is_some());
    /// assert_eq!(failure.find::<Failure>().unwrap().path(), "app/config"); // that of the member
    /// # }
    /// ```
    pub fn find<E: Error + 'static>(&self) -> Option<&E> {
        find::find(self.error())
    }

    /// Returns the part of the service that failed.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Phase, Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| Err::<(), _>("disk full")));
    /// runner.start().await.unwrap_err();
    /// assert_eq!(runner.errors_last().unwrap().phase(), Phase::Run);
    /// # }
    /// ```
    pub fn phase(&self) -> Phase {
        self.record.phase
    }

    /// Returns the name of the task that failed, if [`Context::spawn_named`](crate::Context::spawn_named) gave it one.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |cx| cx.spawn_named("reader", async { Err::<(), _>("eof") })));
    /// runner.start().await.unwrap_err();
    /// assert_eq!(runner.errors_last().unwrap().task(), Some("reader"));
    /// # }
    /// ```
    pub fn task(&self) -> Option<&str> {
        self.record.task.as_deref()
    }

    /// Returns the last [checkpoint](crate::Context::checkpoint) that the attempt had passed.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |cx| {
    ///     cx.checkpoint("reading the index");
    ///     Err::<(), _>("disk full")
    /// }));
    /// runner.start().await.unwrap_err();
    /// assert_eq!(runner.errors_last().unwrap().checkpoint(), Some("reading the index"));
    /// # }
    /// ```
    pub fn checkpoint(&self) -> Option<&'static str> {
        self.record.checkpoint.map(|(name, _)| name)
    }

    /// Returns how long before the failure the attempt had passed that checkpoint.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |cx| {
    ///     cx.checkpoint("reading the index");
    ///     tokio::time::sleep(Duration::from_secs(3)).await;
    ///     Err::<(), _>("disk full")
    /// }));
    /// runner.start().await.unwrap_err();
    /// assert_eq!(runner.errors_last().unwrap().checkpoint_age(), Some(Duration::from_secs(3)));
    /// # }
    /// ```
    pub fn checkpoint_age(&self) -> Option<Duration> {
        self.record.checkpoint.map(|(_, age)| age)
    }

    /// Returns the kind of the failure.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Cause, Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| -> () { panic!("index out of bounds") }));
    /// runner.start().await.unwrap_err();
    /// assert_eq!(runner.errors_last().unwrap().cause(), Cause::Panic);
    /// # }
    /// ```
    pub fn cause(&self) -> Cause {
        self.record.cause
    }

    /// Returns the name of the service.
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

    /// Returns the path of the service: the names from the outermost owner down, as `app/db`, or
    /// its name if it has no owner. For a shared service it is the path under the owner that
    /// started it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Group, Runner, once};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let job = once(async |_cx| Err::<(), _>("no such table"));
    /// let app = Runner::new(Group::builder("app").with("migrate", job).build().unwrap());
    /// let _ = app.start().await;
    /// let migrate = app.service().get("migrate").unwrap();
    /// assert_eq!(migrate.errors_last().unwrap().path(), "app/migrate");
    /// # }
    /// ```
    pub fn path(&self) -> &str {
        self.record.path.as_str()
    }

    /// Returns the cycle of the failure, from 1; 0 before the first.
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
    /// assert_eq!(runner.errors_last().unwrap().cycle(), 2);
    /// # }
    /// ```
    pub fn cycle(&self) -> u64 {
        self.record.cycle
    }

    /// Returns the attempt within the cycle, from 1; 0 before the first.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{RestartPolicy, Runner, Settings, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let settings = Settings::new().restart(RestartPolicy::on_failure());
    /// let job = once(async |cx| if cx.attempt() < 3 { Err("busy") } else { Ok(()) });
    /// let runner = Runner::with_settings(job, settings);
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.errors_last().unwrap().attempt(), 2);
    /// # }
    /// ```
    pub fn attempt(&self) -> u64 {
        self.record.attempt
    }

    /// Returns the time of the failure, by the system's clock.
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

    /// Returns how long the attempt had run when it failed; zero for what failed without one.
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

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.error())
    }
}
