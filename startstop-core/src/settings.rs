//! Settings: how a service is to be run.

mod resolved;
mod rules;
pub(crate) mod restart_policy;
pub(crate) mod member_policy;

use std::borrow::Cow;
use std::time::Duration;

use crate::report::shared_name::SharedName;
use crate::report::state::Readiness;
use crate::settings::restart_policy::RestartPolicy;

pub(crate) use resolved::{Resolved, TypeName};
pub(crate) use rules::{Rules, ServiceTraits, ShutdownRule};

/// How a service is run: its name, readiness, timeouts, restarts and history.
///
/// Return settings from [`Service::settings`](crate::Service::settings) if the service itself knows them, pass them to
/// [`Runner::with_settings`](crate::Runner::with_settings) if they depend on the program, and use the keys of
/// `#[derive(Service)]` for constants.
///
/// A plain value with a setter for each setting. An unset setting falls back to the service's own
/// [`settings`](crate::Service::settings), then to the default. The getters tell set from unset; they are called `get_x`,
/// like the getters of [`std::process::Command`], since the setters have the plain names.
///
/// | setting | default |
/// |---|---|
/// | `name` | the type's name without path |
/// | `readiness` | [`Readiness::Immediate`] |
/// | `start_timeout` | 30 s |
/// | `stop_timeout` | 5 s |
/// | `abort_timeout` | 2 s |
/// | `drain` | zero |
/// | `shutdown_always` | false |
/// | `history_capacity` | 64 |
/// | `restart` | [`RestartPolicy::never`] |
/// | `watchdog` | none |
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use startstop_core::{Runner, Settings, service_fn};
///
/// let settings = Settings::new().name("ticker").stop_timeout(Duration::from_secs(1));
/// let runner = Runner::with_settings(service_fn(async |cx| cx.cancelled().await), settings);
/// assert_eq!(runner.name(), "ticker");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Settings {
    name: Option<SharedName>,
    readiness: Option<Readiness>,
    start_timeout: Option<Duration>,
    stop_timeout: Option<Duration>,
    abort_timeout: Option<Duration>,
    drain: Option<Duration>,
    shutdown_always: Option<bool>,
    history_capacity: Option<usize>,
    restart: Option<RestartPolicy>,
    watchdog: Option<Duration>,
}

impl Settings {
    /// Makes settings with nothing set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// assert_eq!(Settings::new().get_stop_timeout(), None);
    /// ```
    pub const fn new() -> Self {
        Self {
            name: None,
            readiness: None,
            start_timeout: None,
            stop_timeout: None,
            abort_timeout: None,
            drain: None,
            shutdown_always: None,
            history_capacity: None,
            restart: None,
            watchdog: None,
        }
    }

    /// Returns these settings, with those of `fallback` where nothing is set here.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// let mine = Settings::new().name("http");
    /// let all = mine.or(Settings::new().name("ignored").history_capacity(8));
    /// assert_eq!(all.get_name(), Some("http"));
    /// assert_eq!(all.get_history_capacity(), Some(8));
    /// ```
    pub fn or(self, fallback: Self) -> Self {
        if fallback.is_empty() {
            return self;
        }
        if self.is_empty() {
            return fallback;
        }
        Self {
            name: self.name.or(fallback.name),
            readiness: self.readiness.or(fallback.readiness),
            start_timeout: self.start_timeout.or(fallback.start_timeout),
            stop_timeout: self.stop_timeout.or(fallback.stop_timeout),
            abort_timeout: self.abort_timeout.or(fallback.abort_timeout),
            drain: self.drain.or(fallback.drain),
            shutdown_always: self.shutdown_always.or(fallback.shutdown_always),
            history_capacity: self.history_capacity.or(fallback.history_capacity),
            restart: self.restart.or(fallback.restart),
            watchdog: self.watchdog.or(fallback.watchdog),
        }
    }

    /// The same under a name that others know as well.
    pub(crate) fn named(mut self, name: SharedName) -> Self {
        self.name = Some(name);
        self
    }

    /// Takes the name out.
    pub(crate) fn take_name(&mut self) -> Option<SharedName> {
        self.name.take()
    }

    /// Returns whether nothing is set.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(
            self,
            Self {
                name: None,
                readiness: None,
                start_timeout: None,
                stop_timeout: None,
                abort_timeout: None,
                drain: None,
                shutdown_always: None,
                history_capacity: None,
                restart: None,
                watchdog: None,
            }
        )
    }
}

/// The setters.
impl Settings {
    /// Sets the name, in statuses, failures and traces. Default: the type's name without path.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// assert_eq!(Settings::new().name("http").get_name(), Some("http"));
    /// ```
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into().into());
        self
    }

    /// Sets when the service counts as ready. Default: [`Readiness::Immediate`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Readiness, Settings};
    /// let settings = Settings::new().readiness(Readiness::Explicit);
    /// assert_eq!(settings.get_readiness(), Some(Readiness::Explicit));
    /// ```
    pub fn readiness(mut self, readiness: Readiness) -> Self {
        self.readiness = Some(readiness);
        self
    }

    /// Sets how long an attempt has to become ready, with [`Readiness::Explicit`] only. A late
    /// attempt is aborted and counts as failed. A service that needs more time puts it off by
    /// [`Context::extend`](crate::Context::extend). [`Duration::MAX`] waits for ever. Default: 30 s.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use startstop_core::Settings;
    /// let settings = Settings::new().start_timeout(Duration::from_secs(90));
    /// assert_eq!(settings.get_start_timeout(), Some(Duration::from_secs(90)));
    /// ```
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = Some(timeout);
        self
    }

    /// Sets how long a stop may take before the parts that are left are aborted. Zero aborts at once, without calling
    /// `shutdown`; [`Duration::MAX`] waits for ever. Default: 5 s.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use startstop_core::Settings;
    /// let settings = Settings::new().stop_timeout(Duration::from_secs(20));
    /// assert_eq!(settings.get_stop_timeout(), Some(Duration::from_secs(20)));
    /// ```
    pub fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.stop_timeout = Some(timeout);
        self
    }

    /// Sets how long an aborted part has to yield before it counts as unresponsive: at least 1 ms. Default: 2 s.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use startstop_core::Settings;
    /// let settings = Settings::new().abort_timeout(Duration::from_millis(500));
    /// assert_eq!(settings.get_abort_timeout(), Some(Duration::from_millis(500)));
    /// ```
    pub fn abort_timeout(mut self, timeout: Duration) -> Self {
        self.abort_timeout = Some(timeout);
        self
    }

    /// Sets how long a stop waits between `is_ready()` becoming false and the cancellation of the context,
    /// so that a load balancer has the time to look away. [`Context::draining`](crate::Context::draining) resolves when
    /// it begins. Default: zero.
    ///
    /// `stop_timeout` counts from the end of the drain, which comes early when the service has ended. Only a service that
    /// is `Running` drains. [`stop_within`](crate::Runner::stop_within) limits both together: then the drain takes half of
    /// that at most.
    ///
    /// The members of a group drain together with it and go on meanwhile: for the time that is set for the group, or
    /// else for the longest that is set for a member. When it is over they are stopped in their order, and no drain is added.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Context, Runner, Settings, service_fn};
    /// use tokio::time::Instant;
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let server = service_fn(async |cx: Context| {
    ///     cx.draining().await; // say so to who asks for the health of the server
    ///     cx.cancelled().await; // two seconds later
    /// });
    /// let settings = Settings::new().drain(Duration::from_secs(2));
    /// let server = Runner::with_settings(server, settings);
    /// server.start().await.unwrap();
    ///
    /// let begun = Instant::now();
    /// server.stop().await.unwrap();
    /// assert_eq!(begun.elapsed().as_secs(), 2);
    /// # }
    /// ```
    pub fn drain(mut self, drain: Duration) -> Self {
        self.drain = Some(drain);
        self
    }

    /// Sets whether `shutdown` also runs after an attempt that ended without being told to: by itself, late
    /// for its start, or silent for too long. It has `stop_timeout` then. An abort that was asked for and
    /// the end of the runtime leave no time for it. Default: false.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// let settings = Settings::new().shutdown_always(true);
    /// assert_eq!(settings.get_shutdown_always(), Some(true));
    /// ```
    pub fn shutdown_always(mut self, always: bool) -> Self {
        self.shutdown_always = Some(always);
        self
    }

    /// Sets how many failures the history holds; 0 keeps none and counts all as evicted.
    /// Default: 64.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// assert_eq!(Settings::new().history_capacity(8).get_history_capacity(), Some(8));
    /// ```
    pub fn history_capacity(mut self, capacity: usize) -> Self {
        self.history_capacity = Some(capacity);
        self
    }

    /// Sets whether an attempt that has ended is followed by another.
    /// Default: [`RestartPolicy::never`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{RestartPolicy, Settings};
    /// let settings = Settings::new().restart(RestartPolicy::on_failure());
    /// assert!(settings.get_restart().is_some());
    /// ```
    pub fn restart(mut self, policy: RestartPolicy) -> Self {
        self.restart = Some(policy);
        self
    }

    /// Sets the longest silence between two calls of
    /// [`Context::heartbeat`](crate::Context::heartbeat) while the service is running, and while it
    /// starts from its first heartbeat on. A service that is silent for longer is aborted and counts as
    /// failed. A service that waits for a [`Slot`](crate::Slot) is not silent, and [`every`](crate::every())
    /// beats by itself. Zero means none, the default. A group has none, whatever is set: nobody beats for it, and its members
    /// have their own.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use startstop_core::Settings;
    /// let settings = Settings::new().watchdog(Duration::from_secs(10));
    /// assert_eq!(settings.get_watchdog(), Some(Duration::from_secs(10)));
    /// ```
    pub fn watchdog(mut self, silence: Duration) -> Self {
        self.watchdog = Some(silence);
        self
    }
}

/// The getters: `None` is unset.
impl Settings {
    /// Returns the name, if set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// assert_eq!(Settings::new().name("ticker").get_name(), Some("ticker"));
    /// ```
    pub fn get_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns when the service counts as ready, if set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Readiness, Settings};
    /// let settings = Settings::new().readiness(Readiness::Explicit);
    /// assert_eq!(settings.get_readiness(), Some(Readiness::Explicit));
    /// ```
    pub fn get_readiness(&self) -> Option<Readiness> {
        self.readiness
    }

    /// Returns how long an attempt has to become ready, if set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// # use std::time::Duration;
    /// let settings = Settings::new().start_timeout(Duration::from_secs(3));
    /// assert_eq!(settings.get_start_timeout(), Some(Duration::from_secs(3)));
    /// ```
    pub fn get_start_timeout(&self) -> Option<Duration> {
        self.start_timeout
    }

    /// Returns how long a stop may take, if set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// # use std::time::Duration;
    /// let settings = Settings::new().stop_timeout(Duration::from_secs(3));
    /// assert_eq!(settings.get_stop_timeout(), Some(Duration::from_secs(3)));
    /// ```
    pub fn get_stop_timeout(&self) -> Option<Duration> {
        self.stop_timeout
    }

    /// Returns how long an aborted part has to yield, if set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// # use std::time::Duration;
    /// let settings = Settings::new().abort_timeout(Duration::from_secs(1));
    /// assert_eq!(settings.get_abort_timeout(), Some(Duration::from_secs(1)));
    /// ```
    pub fn get_abort_timeout(&self) -> Option<Duration> {
        self.abort_timeout
    }

    /// Returns how long a stop leaves the service alone, if set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// # use std::time::Duration;
    /// let settings = Settings::new().drain(Duration::from_secs(10));
    /// assert_eq!(settings.get_drain(), Some(Duration::from_secs(10)));
    /// ```
    pub fn get_drain(&self) -> Option<Duration> {
        self.drain
    }

    /// Returns whether `shutdown` runs after every attempt, if set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// assert_eq!(Settings::new().get_shutdown_always(), None);
    /// assert_eq!(Settings::new().shutdown_always(true).get_shutdown_always(), Some(true));
    /// ```
    pub fn get_shutdown_always(&self) -> Option<bool> {
        self.shutdown_always
    }

    /// Returns how many failures the history holds, if set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// assert_eq!(Settings::new().history_capacity(8).get_history_capacity(), Some(8));
    /// ```
    pub fn get_history_capacity(&self) -> Option<usize> {
        self.history_capacity
    }

    /// Returns the restart policy, if set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{RestartPolicy, Settings};
    /// let settings = Settings::new().restart(RestartPolicy::on_failure());
    /// assert!(settings.get_restart().is_some());
    /// assert!(Settings::new().get_restart().is_none());
    /// ```
    pub fn get_restart(&self) -> Option<&RestartPolicy> {
        self.restart.as_ref()
    }

    /// Returns the longest silence that is allowed, if set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Settings;
    /// # use std::time::Duration;
    /// let settings = Settings::new().watchdog(Duration::from_secs(30));
    /// assert_eq!(settings.get_watchdog(), Some(Duration::from_secs(30)));
    /// ```
    pub fn get_watchdog(&self) -> Option<Duration> {
        self.watchdog
    }
}
