//! The errors of start and stop.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::report::failure::{Failure, write_chain};
use crate::report::path::Path;
use crate::report::state::Phase;
use crate::report::text::Escaped;

/// Why a start did not lead to a service that is ready.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, StartError, once};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(once(async |_cx| Err::<(), _>("no such table")));
/// match runner.start().await {
///     Err(StartError::Failed(failure)) => {
///         assert_eq!(failure.error().to_string(), "no such table");
///     }
///     other => panic!("{other:?}"),
/// }
/// # }
/// ```
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The service ended in failure before it was ready, and no policy restarts it.
    #[error(transparent)]
    Failed(Failure),
    /// The service was not ready within `start_timeout`, and no attempt follows.
    #[error("not ready in time")]
    TimedOut,
    /// A stop came.
    #[error("stopped before it was ready")]
    Stopped,
    /// The parent token was cancelled already; `run` was not called.
    #[error("the parent token is cancelled")]
    Cancelled,
    /// The service does not yield: this attempt, or the cycle before it, was aborted and is still there.
    #[error("the service does not yield: what was aborted has not ended")]
    Unresponsive,
    /// The call was made outside of a tokio runtime, which the service needs to run on, or in one without timers.
    #[error(
        "called outside of a tokio runtime, or in one without timers: call it from async code or after `Handle::enter`, \
         in a runtime that was built with `enable_time`"
    )]
    NoRuntime,
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

/// Why a stop was not clean.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, StopError, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let runner = Runner::new(service_fn(async |_cx| std::future::pending::<()>().await));
/// runner.start().await.unwrap();
/// assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
/// # }
/// ```
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// `run`, `shutdown` or a task failed after the stop had begun; the service is stopped.
    #[error(transparent)]
    Failed(Failure),
    /// The service did not end in time and was aborted; it is stopped.
    #[error("did not end in time and was aborted")]
    TimedOut,
    /// The service does not yield, most likely because it blocks its thread; it is not stopped.
    #[error(transparent)]
    Unresponsive(Unresponsive),
}

impl fmt::Debug for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

/// Why a reload was not done.
///
/// # Examples
///
/// ```
/// use startstop_core::ReloadError;
///
/// assert_eq!(ReloadError::NotSupported.to_string(), "the service does not support a reload");
/// ```
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The service could not take over its new configuration, and goes on with the old one.
    #[error(transparent)]
    Failed(Failure),
    /// Nothing in the service has ever waited for a reload in this attempt.
    #[error("the service does not support a reload")]
    NotSupported,
    /// Nothing of the service runs, or its attempt ended before it had answered.
    #[error("the service does not run, or ended before it had reloaded")]
    Stopped,
}

impl fmt::Debug for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_chain(self, f)
    }
}

/// The stuck parts of a service: those that did not yield after their abort, and for how long.
///
/// # Examples
///
/// ```no_run
/// use startstop_core::{Runner, StopError, Phase, service_fn};
///
/// # #[tokio::main]
/// # async fn main() {
/// let runner = Runner::new(service_fn(async |_cx| loop { std::thread::yield_now() }));
/// runner.start().await.unwrap();
/// let Err(StopError::Unresponsive(stuck)) = runner.stop().await else { panic!() };
/// assert_eq!(stuck.parts(), [Phase::Run]);
/// eprintln!("{stuck}"); // service "main" does not yield: run stuck for 7s
/// # }
/// ```
#[derive(Clone)]
pub struct Unresponsive {
    stuck: Arc<Stuck>,
}

#[derive(Debug, Clone)]
struct Stuck {
    service: Box<str>,
    parts: Box<[Phase]>,
    /// The names of the tasks that have one.
    tasks: Vec<Cow<'static, str>>,
    path: Path,
    /// Shared with the verdict below, where there is one: a tree may be deep, and so its paths long.
    members: Arc<[Box<str>]>,
    waited: Duration,
    checkpoint: Option<(&'static str, Duration)>,
}

impl Unresponsive {
    pub(crate) fn new(service: &str, parts: &[Phase], waited: Duration) -> Self {
        let (path, members) = (Path::alone(service), Arc::default());
        let (service, parts) = (service.into(), parts.into());
        let (tasks, checkpoint) = (Vec::new(), None);
        let stuck = Stuck {
            service,
            parts,
            tasks,
            path,
            members,
            waited,
            checkpoint,
        };
        Self {
            stuck: Arc::new(stuck),
        }
    }

    /// The same of a service at this path, with what does not yield below it.
    pub(crate) fn of(mut self, path: Path, below: &[Self]) -> Self {
        let stuck = Arc::make_mut(&mut self.stuck);
        stuck.path = path;
        stuck.members = match below {
            [one] => one.leaves(),
            all => all.iter().flat_map(|one| one.leaves().to_vec()).collect(),
        };
        self
    }

    /// The paths of the leaves.
    fn leaves(&self) -> Arc<[Box<str>]> {
        if self.stuck.members.is_empty() {
            return Arc::from([self.stuck.path.as_str().into()]);
        }
        Arc::clone(&self.stuck.members)
    }

    pub(crate) fn with_tasks(mut self, names: Vec<Cow<'static, str>>) -> Self {
        Arc::make_mut(&mut self.stuck).tasks = names;
        self
    }

    pub(crate) fn with_checkpoint(mut self, checkpoint: Option<(&'static str, Duration)>) -> Self {
        Arc::make_mut(&mut self.stuck).checkpoint = checkpoint;
        self
    }

    /// Returns the name of the service.
    ///
    /// # Examples
    ///
    /// See [`Unresponsive`].
    pub fn service(&self) -> &str {
        &self.stuck.service
    }

    /// Returns the parts that have not ended, each kind once.
    ///
    /// # Examples
    ///
    /// See [`Unresponsive`].
    pub fn parts(&self) -> &[Phase] {
        &self.stuck.parts
    }

    /// Returns the paths of the members that do not yield, down to the leaves, if the service is made of members.
    ///
    /// # Examples
    ///
    /// See [`Unresponsive`].
    pub fn members(&self) -> &[Box<str>] {
        &self.stuck.members
    }

    /// Returns how long they had been told to end when the stop gave up on them.
    ///
    /// # Examples
    ///
    /// See [`Unresponsive`].
    pub fn waited(&self) -> Duration {
        self.stuck.waited
    }

    /// Returns the last [checkpoint](crate::Context::checkpoint) that the attempt had passed.
    ///
    /// # Examples
    ///
    /// See [`Context::checkpoint`](crate::Context::checkpoint).
    pub fn checkpoint(&self) -> Option<&'static str> {
        self.stuck.checkpoint.map(|(name, _)| name)
    }

    /// Returns how long ago the attempt had passed that checkpoint when the stop gave up.
    ///
    /// # Examples
    ///
    /// See [`Context::checkpoint`](crate::Context::checkpoint).
    pub fn checkpoint_age(&self) -> Option<Duration> {
        self.stuck.checkpoint.map(|(_, age)| age)
    }
}

impl fmt::Display for Unresponsive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "service \"{}\" does not yield: ",
            Escaped(self.service())
        )?;
        for (at, part) in self.parts().iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{part}")?;
            if *part == Phase::Task {
                self.stuck
                    .tasks
                    .iter()
                    .try_for_each(|name| write!(f, " \"{}\"", Escaped(name)))?;
            }
        }
        write!(f, " stuck for {:?}", self.waited())?;
        if let Some((name, age)) = self.stuck.checkpoint {
            write!(f, ", {age:?} after checkpoint \"{}\"", Escaped(name))?;
        }
        for (at, member) in self.members().iter().enumerate() {
            let comma = if at == 0 { ": " } else { ", " };
            write!(f, "{comma}{}", Escaped(member))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Unresponsive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Unresponsive {}

/// As its text.
#[cfg(feature = "serde")]
impl serde::Serialize for Unresponsive {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
