//! The status of a service at one moment, with those of its parts.

mod children;
mod tree;

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use crate::report::error::Unresponsive;
use crate::report::failure::Failure;
use crate::report::path::Path;
use crate::report::state::{Exit, State};

pub(crate) use children::Children;

/// A snapshot of a service and of its parts.
///
/// `Display` draws one line per service, as a tree. Text from outside is escaped, so that it stays
/// on its line and cannot control the terminal.
///
/// With the feature `serde` it is an object whose fields are named like the methods below without their `is_` and `has_`,
/// `children` among them, but for the two means. Durations and times are written as serde does (`secs` and `nanos`,
/// `secs_since_epoch` and `nanos_since_epoch`), `unresponsive` is a text, and `gauges` are pairs of a name and a number, left out
/// where there are none. What does not apply is `null`. A tree of hundreds of levels is more than serializers and readers can
/// take, since they recurse: write it status by status, by [`rows`](Self::rows) and [`alone`](Self::alone).
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, State, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
/// runner.start().await.unwrap();
///
/// let status = runner.status();
/// assert_eq!(status.state(), State::Running);
/// assert_eq!(status.to_string(), "main           running    0s");
/// # runner.stop().await.unwrap();
/// # }
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Status {
    pub(crate) name: String,
    pub(crate) path: Path,
    pub(crate) state: State,
    pub(crate) ready: bool,
    pub(crate) started: bool,
    pub(crate) not_ready_reason: Option<Cow<'static, str>>,
    pub(crate) detail: Option<Cow<'static, str>>,
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub(crate) gauges: Vec<(&'static str, f64)>,
    pub(crate) checkpoint: Option<&'static str>,
    pub(crate) checkpoint_age: Option<Duration>,
    pub(crate) heartbeat_age: Option<Duration>,
    pub(crate) unresponsive: Option<Unresponsive>,
    pub(crate) remaining: Option<Duration>,
    pub(crate) uptime: Duration,
    pub(crate) total_uptime: Duration,
    pub(crate) total_downtime: Duration,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) outages: Outages,
    pub(crate) cycles: u64,
    pub(crate) attempt: u64,
    pub(crate) attempts: u64,
    pub(crate) restarts: u64,
    pub(crate) failures: u64,
    pub(crate) last_failure: Option<Failure>,
    pub(crate) last_exit: Exit,
    pub(crate) since: SystemTime,
    pub(crate) next_attempt: Option<Duration>,
    pub(crate) children: Children,
}

/// The times from a failure to the moment when the service runs again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outages {
    /// How many have begun.
    pub(crate) begun: u64,
    /// How many are over, and how long they lasted, in nanoseconds.
    pub(crate) over: u64,
    pub(crate) lasted: u64,
}

impl Status {
    /// Makes the status of a service that has no runner.
    pub(crate) fn of_stopped(name: &str, children: Vec<Self>) -> Self {
        Self {
            name: name.to_owned(),
            path: Path::alone(name),
            state: State::Stopped,
            ready: false,
            started: false,
            not_ready_reason: None,
            detail: None,
            gauges: Vec::new(),
            checkpoint: None,
            checkpoint_age: None,
            heartbeat_age: None,
            unresponsive: None,
            remaining: None,
            uptime: Duration::ZERO,
            total_uptime: Duration::ZERO,
            total_downtime: Duration::ZERO,
            outages: Outages::default(),
            cycles: 0,
            attempt: 0,
            attempts: 0,
            restarts: 0,
            failures: 0,
            last_failure: None,
            last_exit: Exit::Stopped,
            since: SystemTime::now(),
            next_attempt: None,
            children: children.into(),
        }
        .with_paths()
    }

    /// The same under another name; the path follows from where it is put.
    pub(crate) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The same with the paths of all that is below it under its own.
    pub(crate) fn with_paths(mut self) -> Self {
        let mut open = vec![&mut self];
        while let Some(Self { path, children, .. }) = open.pop() {
            for child in children.as_mut_slice() {
                child.path = path.below(&*child.name);
                open.push(child);
            }
        }
        self
    }

    /// Returns the name of the service; for a member, the name that its group gave it.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, Settings, once};
    ///
    /// let runner = Runner::with_settings(once(async |_cx| ()), Settings::new().name("import"));
    /// assert_eq!(runner.status().name(), "import");
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the path of the service: the names from the outermost owner down, as `app/db`.
    /// [`find`](crate::Runner::find) takes it.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, once};
    ///
    /// let app = Runner::new(Group::builder("app").with("db", once(async |_cx| ())).build().unwrap());
    /// assert_eq!(app.status().children()[0].path(), "app/db");
    /// ```
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// Returns the state of the service.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, State, once};
    ///
    /// assert_eq!(Runner::new(once(async |_cx| ())).status().state(), State::Stopped);
    /// ```
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns whether it can do its job, or has done it.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// assert!(!runner.status().is_ready());
    /// runner.start().await.unwrap();
    /// assert!(runner.status().is_ready());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// Returns whether it has been able to once in the current or most recent cycle. It stays so in a backoff, and after the
    /// end.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{RestartPolicy, Runner, Settings, State, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let broken = service_fn(async |_cx| {
    ///     tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    ///     Err::<(), _>("connection lost")
    /// });
    /// let runner = Runner::with_settings(broken, Settings::new().restart(RestartPolicy::on_failure()));
    /// assert!(!runner.status().has_started());
    /// runner.start().await.unwrap();
    /// runner.wait_for(State::Backoff).await;
    /// assert!(runner.status().has_started() && !runner.status().is_ready());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn has_started(&self) -> bool {
        self.started
    }

    /// Returns why the service cannot do its job for now, as it has said; for a group, which members cannot.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.not_ready("the database is not reachable");
    ///     cx.cancelled().await
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// assert_eq!(runner.status().not_ready_reason(), Some("the database is not reachable"));
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn not_ready_reason(&self) -> Option<&str> {
        self.not_ready_reason.as_deref()
    }

    /// Returns what the service wants to be shown beside its state.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.detail("leader, fence 7");
    ///     cx.cancelled().await
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// assert_eq!(runner.status().detail(), Some("leader, fence 7"));
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Returns the service's own numbers, by their names.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.gauge("queued", 3.0);
    ///     cx.cancelled().await
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// assert_eq!(runner.status().gauges(), [("queued", 3.0)]);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn gauges(&self) -> &[(&'static str, f64)] {
        &self.gauges
    }

    /// Returns the last checkpoint of the service, in the current or most recent attempt: what it was about to do.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.checkpoint("reading the index");
    ///     cx.cancelled().await
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// assert_eq!(runner.status().checkpoint(), Some("reading the index"));
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn checkpoint(&self) -> Option<&'static str> {
        self.checkpoint
    }

    /// Returns how long ago the service said so.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| {
    ///     cx.checkpoint("reading the index");
    ///     cx.cancelled().await
    /// }));
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// tokio::time::sleep(Duration::from_secs(3)).await;
    /// assert_eq!(runner.status().checkpoint_age().unwrap().as_secs(), 3);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn checkpoint_age(&self) -> Option<Duration> {
        self.checkpoint_age
    }

    /// Returns how long ago the last heartbeat came; `None` without a watchdog, and where nothing runs.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, Settings, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let service = service_fn(async |cx| {
    ///     cx.heartbeat();
    ///     cx.cancelled().await
    /// });
    /// let settings = Settings::new().watchdog(Duration::from_secs(30));
    /// let runner = Runner::with_settings(service, settings);
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// tokio::time::sleep(Duration::from_secs(3)).await;
    /// assert_eq!(runner.status().heartbeat_age().unwrap().as_secs(), 3);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn heartbeat_age(&self) -> Option<Duration> {
        self.heartbeat_age
    }

    /// Returns what does not yield, once its end was given up; `None` again once it has ended after all.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// runner.stop().await.unwrap();
    /// assert!(runner.status().unresponsive().is_none()); // it has ended
    /// # }
    /// ```
    pub fn unresponsive(&self) -> Option<&Unresponsive> {
        self.unresponsive.as_ref()
    }

    /// Returns how long until the parts that are left are aborted, in [`State::Stopping`]; `None` if never.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, Settings, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let service = service_fn(async |cx| {
    ///     cx.cancelled().await;
    ///     tokio::time::sleep(Duration::from_secs(3)).await // flushes
    /// });
    /// let settings = Settings::new().stop_timeout(Duration::from_secs(10));
    /// let runner = Runner::with_settings(service, settings);
    /// runner.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// runner.request_stop();
    /// tokio::time::sleep(Duration::from_secs(1)).await;
    /// assert_eq!(runner.status().remaining(), Some(Duration::from_secs(9)));
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn remaining(&self) -> Option<Duration> {
        self.remaining
    }

    /// Returns how long it has been running: zero in every other state.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// tokio::time::sleep(Duration::from_secs(3)).await;
    /// assert_eq!(runner.status().uptime().as_secs(), 3);
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn uptime(&self) -> Duration {
        self.uptime
    }

    /// Returns how long it has been running over all cycles.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// for _cycle in 0..2 {
    ///     runner.start().await.unwrap();
    ///     tokio::time::sleep(Duration::from_secs(3)).await;
    ///     runner.stop().await.unwrap();
    /// }
    /// assert_eq!(runner.status().total_uptime().as_secs(), 6);
    /// # }
    /// ```
    pub fn total_uptime(&self) -> Duration {
        self.total_uptime
    }

    /// Returns how long it has not been running since its first start, without the time in which it was stopped on request or had
    /// completed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// runner.stop().await.unwrap();
    /// tokio::time::sleep(Duration::from_secs(3)).await;
    /// assert!(runner.status().total_downtime().is_zero()); // it was told to stop
    /// # }
    /// ```
    pub fn total_downtime(&self) -> Duration {
        self.total_downtime
    }

    /// Returns the share of the time in which the service was running: [`total_uptime`](Self::total_uptime) divided by the
    /// sum of that and [`total_downtime`](Self::total_downtime), from 0 to 1. `None` if both are zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Backoff, RestartPolicy, Runner, Settings, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let flaky = service_fn(async |_cx| {
    ///     tokio::time::sleep(Duration::from_secs(9)).await;
    ///     Err::<(), _>("connection lost")
    /// });
    /// let policy = RestartPolicy::on_failure().backoff(Backoff::constant(Duration::from_secs(1)));
    /// let runner = Runner::with_settings(flaky, Settings::new().restart(policy));
    /// runner.start().await.unwrap();
    /// tokio::time::sleep(Duration::from_millis(20_500)).await;
    ///
    /// let status = runner.status();
    /// assert_eq!(status.mean_time_between_failures(), Some(Duration::from_millis(9_250)));
    /// assert_eq!(status.mean_time_to_recovery(), Some(Duration::from_secs(1)));
    /// assert!((status.availability().unwrap() - 18.5 / 20.5).abs() < 0.001);
    /// # runner.stop().await.unwrap_err();
    /// # }
    /// ```
    pub fn availability(&self) -> Option<f64> {
        let all = self.total_uptime.saturating_add(self.total_downtime);
        (!all.is_zero()).then(|| self.total_uptime.as_secs_f64() / all.as_secs_f64())
    }

    /// Returns how long it has been running for each time that a failure took it down; `None` if none did.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.status().mean_time_between_failures(), None); // none so far
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn mean_time_between_failures(&self) -> Option<Duration> {
        mean(self.total_uptime, self.outages.begun)
    }

    /// Returns how long it took from a failure to the moment when it was running again, on average; `None` if it never was again.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.status().mean_time_to_recovery(), None); // nothing to recover from
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn mean_time_to_recovery(&self) -> Option<Duration> {
        mean(Duration::from_nanos(self.outages.lasted), self.outages.over)
    }

    /// Returns how many cycles have begun.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| ()));
    /// runner.start().await.unwrap();
    /// # runner.stop().await.unwrap();
    /// runner.start().await.unwrap();
    /// assert_eq!(runner.status().cycles(), 2);
    /// # }
    /// ```
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Returns how many attempts have begun, over all cycles.
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
    /// assert_eq!(runner.status().attempts(), 3);
    /// # }
    /// ```
    pub fn attempts(&self) -> u64 {
        self.attempts
    }

    /// Returns how many times it was restarted by its policy or by a group.
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
    /// assert_eq!(runner.status().restarts(), 2);
    /// # }
    /// ```
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Returns how many failures there were, over all cycles, those that the history has evicted included.
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
    /// assert_eq!(runner.status().failures(), 1);
    /// # }
    /// ```
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// Returns the last failure of the current or most recent cycle.
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
    /// assert_eq!(runner.status().last_failure().unwrap().error().to_string(), "disk full");
    /// # }
    /// ```
    pub fn last_failure(&self) -> Option<&Failure> {
        self.last_failure.as_ref()
    }

    /// Returns how the last cycle that has ended did so; `Stopped` before the first.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// runner.start().await.unwrap();
    /// runner.stop().await.unwrap();
    /// assert_eq!(runner.status().last_exit(), Exit::Stopped);
    /// # }
    /// ```
    pub fn last_exit(&self) -> Exit {
        self.last_exit
    }

    /// Returns when the state was entered, by the system's clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use startstop_core::{Runner, once};
    ///
    /// let runner = Runner::new(once(async |_cx| ()));
    /// assert!(runner.status().since() <= SystemTime::now());
    /// ```
    pub fn since(&self) -> SystemTime {
        self.since
    }

    /// Returns how long until the next attempt, in [`State::Backoff`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Backoff, RestartPolicy, Runner, Settings, State, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let policy = RestartPolicy::on_failure().backoff(Backoff::constant(Duration::from_secs(5)));
    /// let broken = service_fn(async |_cx| Err::<(), _>("refused"));
    /// let runner = Runner::with_settings(broken, Settings::new().restart(policy));
    /// runner.request_start();
    /// runner.wait_for(State::Backoff).await;
    /// assert_eq!(runner.status().next_attempt(), Some(Duration::from_secs(5)));
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn next_attempt(&self) -> Option<Duration> {
        self.next_attempt
    }

    /// Returns the statuses of the parts of the service.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let app = Group::builder("app").with("db", service_fn(async |cx| cx.cancelled().await));
    /// let app = Runner::new(app.build().unwrap());
    /// app.start().await.unwrap();
    /// assert_eq!(app.status().children()[0].name(), "db");
    /// # app.stop().await.unwrap();
    /// # }
    /// ```
    pub fn children(&self) -> &[Status] {
        self.children.as_slice()
    }
}

fn mean(all: Duration, count: u64) -> Option<Duration> {
    let nanos = all.as_nanos().checked_div(count.into())?;
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}
