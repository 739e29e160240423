//! A whole program: the service, and what its host is told of it.

mod background;
mod grace;
mod running;
mod stderr;
mod tasks;

use std::fmt;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use startstop_core::{Outcome, Runner, Service};
use tokio::runtime::Handle;

#[cfg(all(unix, feature = "handover"))]
use crate::handover::Handover;
use crate::probes::Probes;

pub(crate) use stderr::tell;
#[cfg(all(unix, feature = "handover", feature = "notify"))]
pub(crate) use stderr::tell_aside;

/// A service as a whole program among others: it runs as with `startstop_core::run`, and its host learns what it wants to
/// know.
///
/// At the start it compares what a stop can take (`grace_period`) with what the host grants, by `TimeoutStopSec` of the unit
/// of systemd that the program runs in, or by `STARTSTOP_GRACE` in seconds, and warns on stderr if a stop may be cut short.
///
/// The parts of the host run on a thread and a runtime of their own. They start before the service
/// and end after it, are not in its tree, and never end it: an error of such a part is printed to
/// stderr, and the part tries again. Only a part that cannot begin is an error: then the program
/// does not start, and its exit code is 1. A stderr that nobody reads holds up neither them nor the service.
///
/// # Examples
///
/// ```no_run
/// use std::process::ExitCode;
/// use startstop_core::{Group, service_fn};
/// use startstop_host::Host;
///
/// fn main() -> ExitCode {
///     let http = service_fn(async |cx| cx.cancelled().await);
///     let app = Group::builder("shop").with("http", http).build().unwrap();
///     Host::new(app).main()
/// }
/// ```
pub struct Host<S: Service> {
    runner: Runner<S>,
    probes: Probes,
    #[cfg(feature = "admin")]
    admin: crate::admin::AdminSettings,
    #[cfg(all(unix, feature = "notify"))]
    notify: crate::notify::NotifySettings,
    #[cfg(all(unix, feature = "handover"))]
    handover: Option<Handover>,
    #[cfg(feature = "grpc-health")]
    grpc_health: Option<crate::grpc_health::GrpcHealth>,
}

impl<S: Service> Host<S> {
    /// Makes a program of a service. For a handle, take its [`runner`](Self::runner): a runner that is handed over would be put
    /// into another one, which lengthens all paths.
    ///
    /// # Examples
    ///
    /// See [`Host`].
    pub fn new(service: S) -> Self {
        let runner = Runner::new(service);
        Self {
            probes: Probes::of(&runner),
            runner,
            #[cfg(feature = "admin")]
            admin: crate::admin::AdminSettings::default(),
            #[cfg(all(unix, feature = "notify"))]
            notify: crate::notify::NotifySettings::default(),
            #[cfg(all(unix, feature = "handover"))]
            handover: None,
            #[cfg(feature = "grpc-health")]
            grpc_health: None,
        }
    }

    /// Returns the runner of the service: a handle for the rest of the program.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{State, service_fn};
    /// use startstop_host::Host;
    ///
    /// let host = Host::new(service_fn(async |cx| cx.cancelled().await));
    /// let runner = host.runner();
    /// assert_eq!(runner.state(), State::Stopped);
    /// ```
    pub fn runner(&self) -> Runner<S> {
        self.runner.clone()
    }

    /// Adds a check: the program is ready only while `check` yields `Ok` within `limit`. See [`Probes::check`]. It is called
    /// on the runtime of the service.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::service_fn;
    /// use startstop_host::Host;
    ///
    /// let host = Host::new(service_fn(async |cx| cx.cancelled().await))
    ///     .check("disk", Duration::from_secs(1), async || std::fs::metadata("/").map(drop));
    /// # assert!(format!("{host:?}").contains("disk"));
    /// ```
    #[must_use]
    pub fn check<F, Fut>(mut self, name: impl Into<String>, limit: Duration, check: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome> + Send + 'static,
    {
        self.probes = self.probes.check(name, limit, check);
        self
    }

    /// Tells the service manager how the program fares, if the environment says that there is one: systemd by `NOTIFY_SOCKET`
    /// (`Type=notify`, or `notify-reload` from 253 on), with its watchdog by `WATCHDOG_USEC`, or s6 by `STARTSTOP_NOTIFY_FD`.
    ///
    /// It is told that the whole is ready, which parts it waits for, that a drain or a stop has begun, of reloads, of the error
    /// of a failed start, and while a start or stop takes longer that it takes longer. The watchdog hears from the runtime of
    /// the service, and only while the program is [alive](Probes::live).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use startstop_core::service_fn;
    /// # use startstop_host::Host;
    /// # let service = service_fn(async |cx| cx.cancelled().await);
    /// Host::new(service).notify().main();
    /// ```
    #[cfg(all(unix, feature = "notify"))]
    #[must_use]
    pub fn notify(mut self) -> Self {
        self.notify.by_env();
        self
    }

    /// Writes a line to a descriptor that the program has inherited when it is ready for the first time, as s6 wants it
    /// (`notification-fd`). A descriptor that cannot be written to is an error at the start.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use startstop_core::service_fn;
    /// # use startstop_host::Host;
    /// # let service = service_fn(async |cx| cx.cancelled().await);
    /// Host::new(service).notify_fd(3).main();
    /// ```
    #[cfg(all(unix, feature = "notify"))]
    #[must_use]
    pub fn notify_fd(mut self, number: i32) -> Self {
        self.notify.fd(number);
        self
    }

    /// Answers on a port of its own: probes, status, events, metrics and a page. A number alone is a port of loopback. A
    /// port that is taken is an error at the start.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use startstop_core::service_fn;
    /// # use startstop_host::Host;
    /// # let service = service_fn(async |cx| cx.cancelled().await);
    /// Host::new(service).admin("127.0.0.1:9100").main();
    /// ```
    #[cfg(feature = "admin")]
    #[must_use]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "texts, addresses and numbers alike"
    )]
    pub fn admin(mut self, addr: impl ToString) -> Self {
        self.admin.at(addr.to_string());
        self
    }

    /// Does the same as [`admin`](Self::admin), on a listener that is there already.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use startstop_core::service_fn;
    /// # use startstop_host::Host;
    /// # fn main() -> std::io::Result<()> {
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// println!("http://{}", listener.local_addr()?);
    /// # let service = service_fn(async |cx| cx.cancelled().await);
    /// Host::new(service).admin_on(listener).main();
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "admin")]
    #[must_use]
    pub fn admin_on(mut self, listener: std::net::TcpListener) -> Self {
        self.admin.on(listener);
        self
    }

    /// Allows to control the parts on the admin port, by
    /// `POST /control/start|stop|restart|reload/PATH` with `Authorization: Bearer TOKEN`. An empty token is an error at the
    /// start.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use startstop_core::service_fn;
    /// # use startstop_host::Host;
    /// # fn main() -> Result<(), std::env::VarError> {
    /// # let service = service_fn(async |cx| cx.cancelled().await);
    /// let token = std::env::var("ADMIN_TOKEN")?;
    /// Host::new(service).admin(9100).allow_control(token).main();
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "admin")]
    #[must_use]
    pub fn allow_control(mut self, token: impl Into<String>) -> Self {
        self.admin.allow_control(token.into());
        self
    }

    /// Allows a name of this host in control requests, beside addresses and `localhost`. A name that somebody else has
    /// pointed at this host is refused.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use startstop_core::service_fn;
    /// # use startstop_host::Host;
    /// # let service = service_fn(async |cx| cx.cancelled().await);
    /// Host::new(service).admin("0.0.0.0:9100").allow_control("s3cret").allow_host("shop.internal").main();
    /// ```
    #[cfg(feature = "admin")]
    #[must_use]
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.admin.allow_host(name.into());
        self
    }

    /// Replaces the predecessor when the program is ready, and lets a successor replace it: then it drains, stops and ends
    /// with 0. If the successor dies before it is ready, the predecessor goes on as if nothing had happened; likewise as long as
    /// the socket of a successor cannot be placed, which is told, and tried again each second. A successor
    /// that is frozen, or not [alive](Probes::live), for 5 s is given up, so that the next one has its turn; it ends with 1
    /// when it wakes.
    ///
    /// A part that is ready only once the predecessor has ended, as a `Leader` of `startstop-fleet` that is `ready_when_leading`, has both
    /// wait for ever: the predecessor goes on. One that is ready while it follows is well: it leads as soon as the predecessor has
    /// ended.
    ///
    /// The part that accepts connections should be the last one that starts (`then`): if it is ready before the others, it
    /// takes connections from the predecessor, and those end with it if the others fail. For a while there are two
    /// processes: also the listener of the admin port is taken over, by [`Handover::listen`](crate::Handover::listen) and
    /// `admin_on`. Under systemd (`notify`, and `NotifyAccess=all`) the new process becomes the main one of the unit, which
    /// stays active, and keeps its watchdog quiet; until it has taken over it tells the manager nothing. The new process has to
    /// belong to the unit, so it is started by `ExecReload=/bin/sh -c '/usr/bin/shop &'` for example.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::process::ExitCode;
    /// use startstop_core::{Context, service_fn};
    /// use startstop_host::{Handover, Host};
    ///
    /// fn main() -> std::io::Result<ExitCode> {
    ///     let handover = Handover::at("/run/shop/handover")?;
    ///     let http = handover.listen("http", "0.0.0.0:8080")?;
    ///     let server = service_fn(move |cx: Context| {
    ///         let _serves = http.local_addr();
    ///         async move { cx.cancelled().await }
    ///     });
    ///     Ok(Host::new(server).handover(handover).main())
    /// }
    /// ```
    #[cfg(all(unix, feature = "handover"))]
    #[must_use]
    pub fn handover(mut self, handover: Handover) -> Self {
        self.handover = Some(handover);
        self
    }

    /// Says whose health this is: that of the program, with its [checks](Self::check).
    ///
    /// # Examples
    ///
    /// See [`GrpcHealth`](crate::GrpcHealth).
    #[cfg(feature = "grpc-health")]
    #[must_use]
    pub fn grpc_health(mut self, health: &crate::GrpcHealth) -> Self {
        self.grpc_health = Some(health.clone());
        self
    }

    /// Runs the program inside a runtime of one's own, until the service has ended or a signal has stopped it. It does what
    /// `startstop_core::run` does.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::once;
    /// use startstop_host::Host;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let code = Host::new(once(async |_cx| ())).run().await;
    /// assert_eq!(code, std::process::ExitCode::SUCCESS);
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// When it is dropped the service is asked to stop, and the parts of the host end.
    pub async fn run(self) -> ExitCode {
        let Some(host) = self.begin(&Handle::current()) else {
            return ExitCode::FAILURE;
        };
        let (runner, parts, verdict) = host.split();
        let code = startstop_core::__run_until(runner, Box::pin(parts.end())).await;
        verdict.code(code)
    }

    /// Runs the program, with a runtime that has many threads and all drivers: the whole of a `main`. It does what
    /// `startstop_core::main_on` does.
    ///
    /// With the feature `init` a program that is pid 1 drops the host, runs itself once more as a child and does what
    /// `run_as_init` does.
    ///
    /// # Examples
    ///
    /// See [`Host`].
    pub fn main(self) -> ExitCode {
        #[cfg(all(target_os = "linux", feature = "init"))]
        if crate::init::is_init() {
            // Close the listeners: the child binds its own.
            drop(self);
            return crate::init::as_init();
        }
        let runtime = match tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
        {
            Ok(runtime) => runtime,
            Err(error) => return refuse(&format!("cannot make a runtime: {error}")),
        };
        let Some(host) = self.begin(runtime.handle()) else {
            return ExitCode::FAILURE;
        };
        let (runner, parts, verdict) = host.split();
        let code = startstop_core::__main_until(runtime, runner, Box::pin(parts.end()));
        verdict.code(code)
    }
}

/// Tells why the program does not start.
fn refuse(reason: &str) -> ExitCode {
    tell(reason);
    ExitCode::FAILURE
}

impl<S: Service> fmt::Debug for Host<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("probes", &self.probes)
            .finish_non_exhaustive()
    }
}
