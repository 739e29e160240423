//! `Leader`: a service that runs another one while it leads.

mod error;
mod led;
mod readiness;
mod run;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use startstop_core::{BoxError, Context, Permanent, Readiness, Runner, Service, Settings};
use tokio::sync::{Notify, watch};

pub use self::error::{LeaderError, LeaseLost};
use self::run::Run;
use crate::in_term::InTerm;
use crate::store::LeaseStore;
use crate::term::Term;
use crate::timing::Timing;

/// A service that one of many replicas runs: the one that leads.
///
/// Each replica has a `Leader` of the same name on the same store. The closure is called for each term and makes
/// the service to be led. The promise: *a leader is told to stop early enough; the lease is given up only after its
/// service has ended; and if that does not end in time, the process exits*.
///
/// It is ready while it follows too, so that a group of it starts on each replica, and while it leads whatever its service does: one
/// in a backoff shows in the status and in metrics, and leaves the readiness of the replica alone. A service that is restarted, by
/// itself or by its handle, goes on in its term. A handle that is kept for longer, one that was [found](startstop_core::Runner::find)
/// say, does not run it: the attempt fails with [`TermOver`](crate::TermOver). That is so for the service itself; a member of a
/// group that is led is started by its own handle whoever leads, and can ask its [`Term`]. See
/// [`ready_when_leading`](Self::ready_when_leading) for the other wish. When its service ends by itself, the
/// lease is released and the leader ends likewise: completed or failed. When the lease is lost, that is reported, the
/// service is stopped, and the leader follows again.
///
/// Its status tells in words who leads, since when, with which fence, and how long the term lasts yet; and in
/// [numbers](startstop_core::Status::gauges), which the metrics of `startstop-host` show: `leading` (0 or 1),
/// `leading_since_seconds` (since 1970) and `fence`, of the one who leads.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, service_fn};
/// use startstop_fleet::{Leader, Memory, Term};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = Memory::new(); // one that all replicas see
/// let leader = Leader::new("invoices", store, |term: Term| {
///     service_fn(move |cx| {
///         let fence = term.fence(); // goes along with each write
///         async move { cx.run_until_cancelled(write_invoices(fence)).await; }
///     })
/// });
/// let mut leads = leader.leading();
///
/// let runner = Runner::new(leader);
/// runner.start().await.unwrap();
/// leads.wait_for(|leads| *leads).await.unwrap();
/// runner.stop().await.unwrap(); // the lease is released once the service has ended
/// assert!(!runner.service().is_leading());
/// # }
/// # async fn write_invoices(_fence: u64) { std::future::pending().await }
/// ```
pub struct Leader<S: Service, L: LeaseStore> {
    name: Arc<str>,
    store: L,
    make: Box<dyn Fn(Term) -> S + Send + Sync>,
    settings: Settings,
    timing: Timing,
    readiness: Wish,
    on_overrun: OnOverrun,
    role: Role,
    shared: LeaderShared,
}

/// The state of a run that others may read.
struct LeaderShared {
    leading: watch::Sender<bool>,
    resign: Notify,
    led: Mutex<Option<(Runner<InTerm>, Term)>>,
}

/// The name of the holder of the lease in the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// One of many replicas holds the lease, the others follow.
    Leader,
    /// The lease is of this process alone: it is one of those that share something out.
    Member,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    ReadyWhileFollowing,
    ReadyWhenLeading,
}

/// The reaction of a process whose led service has not ended when its term is over.
///
/// A service that was aborted and does not end, because it blocks its thread say, is not waited for: from the moment when its runner
/// [gives it up](startstop_core::Status::unresponsive) its lease is renewed no more, so that another one can lead, even if the leader
/// has resigned or the watchdog of the service was the reason. A [`stop`](Runner::stop) of the leader then says that it does not yield.
///
/// # Examples
///
/// ```
/// use startstop_core::once;
/// use startstop_fleet::{Leader, Memory, OnOverrun};
///
/// let leader = Leader::new("cleanup", Memory::new(), |_| once(async |_cx| {}))
///     .on_overrun(OnOverrun::Report);
/// # drop(leader);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnOverrun {
    /// The process exits with 1, or is killed if that takes longer than what is left of the term. No destructor and no
    /// `on_exit` runs. The default.
    #[default]
    ExitProcess,
    /// It is reported, and the service works beside the one of the next leader until it ends: the fence is all that
    /// tells them apart.
    Report,
}

impl<S: Service, L: LeaseStore> Leader<S, L> {
    /// Makes a candidate for the lease `name` on `store`; `make` makes the service to be led, for each term anew.
    pub fn new(
        name: impl Into<String>,
        store: L,
        make: impl Fn(Term) -> S + Send + Sync + 'static,
    ) -> Self {
        let leading = watch::Sender::new(false);
        Self {
            name: name.into().into(),
            store,
            make: Box::new(make),
            settings: Settings::new(),
            timing: Timing::default(),
            readiness: Wish::ReadyWhileFollowing,
            on_overrun: OnOverrun::default(),
            role: Role::Leader,
            shared: LeaderShared {
                leading,
                resign: Notify::new(),
                led: Mutex::new(None),
            },
        }
    }

    /// Sets the settings of the service that is led, over its own ones.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{RestartPolicy, Settings, once};
    /// use startstop_fleet::{Leader, Memory};
    ///
    /// let settings = Settings::new().restart(RestartPolicy::on_failure());
    /// let leader = Leader::new("cleanup", Memory::new(), |_| once(async |_cx| {}))
    ///     .settings(settings.stop_timeout(Duration::from_secs(3)));
    /// # drop(leader);
    /// ```
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets how long a lease lasts and when it is renewed.
    ///
    /// A start is refused if the service that is led could outlive its lease: see [`Timing::check`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::once;
    /// use startstop_fleet::{Leader, Memory, Timing};
    ///
    /// let timing = Timing { lease: Duration::from_secs(30), ..Timing::default() };
    /// let leader = Leader::new("cleanup", Memory::new(), |_| once(async |_cx| {})).timing(timing);
    /// # drop(leader);
    /// ```
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Makes the status call it a member: nobody else asks for its lease.
    pub(crate) fn called_member(mut self) -> Self {
        self.role = Role::Member;
        self
    }

    /// Makes it ready only while its service is: a load balancer then sends what comes to the one that leads.
    ///
    /// It does not go with a successor that has to be ready before its predecessor is stopped, for it is ready only when that one leads
    /// no more: both would wait for ever. That is so for `Handover` and `Replaceable` of `startstop-host`, and for a rolling update of
    /// Kubernetes that waits for new pods while the old ones stay (`maxUnavailable: 0`). There let it be ready while it follows, and let
    /// the load balancer ask for [`is_leading`](Self::is_leading) at an address of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, State, service_fn};
    /// use startstop_fleet::{Leader, Memory};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = |_| service_fn(async |cx| cx.cancelled().await);
    /// let runner = Runner::new(Leader::new("api", Memory::new(), idle).ready_when_leading());
    /// runner.start().await.unwrap();
    /// assert!(runner.service().is_leading());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn ready_when_leading(mut self) -> Self {
        self.readiness = Wish::ReadyWhenLeading;
        self
    }

    /// Sets what becomes of a process whose service has not ended when its term is over.
    ///
    /// # Examples
    ///
    /// See [`OnOverrun`].
    pub fn on_overrun(mut self, on_overrun: OnOverrun) -> Self {
        self.on_overrun = on_overrun;
        self
    }

    /// Tells whether it leads now: its service was started in a term that is valid.
    ///
    /// # Examples
    ///
    /// See [`Leader`].
    pub fn is_leading(&self) -> bool {
        let leading = *self.shared.leading.borrow();
        leading && self.shared.led().is_some_and(|(_, term)| term.is_valid())
    }

    /// Returns a watch on whether it leads.
    ///
    /// # Examples
    ///
    /// See [`Leader`].
    pub fn leading(&self) -> watch::Receiver<bool> {
        self.shared.leading.subscribe()
    }

    /// Gives the lease up in order, if it leads: stops the service, releases the lease, and follows. It takes the lease
    /// again when another one has led meanwhile, or when nobody has for the time of a lease.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, service_fn};
    /// use startstop_fleet::{Leader, Memory};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let idle = |_| service_fn(async |cx| cx.cancelled().await);
    /// let runner = Runner::new(Leader::new("api", Memory::new(), idle).ready_when_leading());
    /// runner.start().await.unwrap();
    /// let mut leads = runner.service().leading();
    /// runner.service().resign();
    /// leads.wait_for(|leads| !leads).await.unwrap();
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn resign(&self) {
        if self.is_leading() {
            self.shared.resign.notify_one();
        }
    }

    /// Returns the longest that its service takes to stop, by what is known before there is one.
    fn led_grace(&self) -> Duration {
        let settings = &self.settings;
        let drain = settings.get_drain().unwrap_or_default();
        let stop = settings.get_stop_timeout().unwrap_or(STOP_TIMEOUT);
        let abort = settings.get_abort_timeout().unwrap_or(ABORT_TIMEOUT);
        drain.saturating_add(stop).saturating_add(abort)
    }
}

/// The defaults of the core.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
const ABORT_TIMEOUT: Duration = Duration::from_secs(2);

impl<S: Service, L: LeaseStore> Service for Leader<S, L> {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        self.timing
            .check(self.led_grace())
            .map_err(LeaderError::from)
            .map_err(Permanent::new)?;
        Run::new(self, cx).drive().await
    }

    /// It is ready when it says so, and its stop takes as long as that of its service.
    fn settings(&self) -> Settings {
        let settings = Settings::new()
            .name(self.name.to_string())
            .readiness(Readiness::Explicit);
        let settings = settings.stop_timeout(Duration::MAX);
        match self.readiness {
            Wish::ReadyWhileFollowing => settings,
            Wish::ReadyWhenLeading => settings.start_timeout(Duration::MAX),
        }
    }

    /// That of what is led, and two calls that give the lease back. The drain of what is led is that of a part.
    fn grace(&self) -> Option<Duration> {
        let drain = self.settings.get_drain().unwrap_or_default();
        let led = self
            .shared
            .led()
            .map(|(led, _)| led.grace_period().saturating_sub(drain));
        Some(
            led.unwrap_or_else(|| self.led_grace())
                .saturating_add(self.timing.call_limit() * 2),
        )
    }
}

impl LeaderShared {
    fn led(&self) -> Option<(Runner<InTerm>, Term)> {
        self.led
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_led(&self, led: Option<(Runner<InTerm>, Term)>) {
        let old = {
            let mut place = self.led.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *place, led)
        };
        drop(old);
    }
}

impl<S: Service, L: LeaseStore> fmt::Debug for Leader<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leader")
            .field("name", &self.name)
            .field("timing", &self.timing)
            .field("leading", &self.is_leading())
            .finish_non_exhaustive()
    }
}
