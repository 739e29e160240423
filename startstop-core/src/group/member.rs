//! The members that a group is made of.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::engine::Node;
use crate::report::shared_name::SharedName;
use crate::report::state::State;
use crate::rules::plan::{Policy, Stay};
use crate::runner::{AnyRunner, Runner, erased, unshared};
use crate::service::Service;
use crate::settings::Settings;
use crate::settings::member_policy::{OnCompletion, OnFailure};

/// A service as a member of a group, with its place among the other members and its policies.
///
/// A service without more is a member that starts when it is told by
/// [`with`](super::GroupBuilder::with) or [`then`](super::GroupBuilder::then), and whose failure stops
/// the group.
///
/// # Examples
///
/// ```
/// use startstop_core::{Group, Member, OnFailure, service_fn};
///
/// let idle = || service_fn(async |cx| cx.cancelled().await);
/// let app = Group::builder("app")
///     .with("db", idle())
///     .with("mail", Member::new(idle()).after(["db"]).on_failure(OnFailure::Ignore))
///     .build()
///     .unwrap();
/// assert_eq!(app.members(), ["db", "mail"]);
/// ```
pub struct Member {
    make: Box<dyn FnOnce(Settings) -> MemberPart + Send>,
    settings: Settings,
    needs: Needs,
    policy: Policy,
}

/// The other members that a member names.
#[derive(Debug, Default)]
pub(super) struct Needs {
    pub(super) after: Vec<Cow<'static, str>>,
    /// The members that it is bound to, which it starts after as well.
    pub(super) bound_to: Vec<Cow<'static, str>>,
}

/// A member whose runner is made.
pub(super) struct Prepared {
    pub(super) part: MemberPart,
    pub(super) needs: Needs,
    pub(super) policy: Policy,
}

/// A runner, whatever its service, as a group drives it.
#[derive(Clone)]
pub(super) struct MemberPart {
    pub(super) runner: AnyRunner,
}

impl MemberPart {
    pub(super) fn node(&self) -> &Arc<dyn Node> {
        self.runner.inner()
    }

    pub(super) fn state(&self) -> State {
        self.node().shared().atomic_state.read().state()
    }
}

impl Member {
    /// Makes a service a member. A [`Runner`] is shared: the group drives it, and it stays a handle.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Member, once};
    ///
    /// let app = Group::builder("app").with("db", Member::new(once(async |_cx| ())));
    /// assert_eq!(app.build().unwrap().members(), ["db"]);
    /// ```
    pub fn new(service: impl Service) -> Self {
        let make: Box<dyn FnOnce(Settings) -> MemberPart + Send> = match service.__share() {
            Ok(shared) => Box::new(|_| MemberPart {
                runner: unshared(shared),
            }),
            Err(service) => Box::new(|settings| MemberPart {
                runner: erased(Runner::with_settings(service, settings)),
            }),
        };
        Self {
            make,
            settings: Settings::new(),
            needs: Needs::default(),
            policy: Policy::default(),
        }
    }

    /// Starts this member after the named ones. Calls add up.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, GroupError, Member, once};
    ///
    /// let db = Member::new(once(async |_cx| ())).after(["http"]);
    /// let http = Member::new(once(async |_cx| ())).after(["db"]);
    /// let app = Group::builder("app").with("db", db).with("http", http).build();
    /// assert!(matches!(app, Err(GroupError::Cycle { .. })));
    /// ```
    pub fn after<N: Into<Cow<'static, str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.needs.after.extend(names.into_iter().map(Into::into));
        self
    }

    /// Starts this member [`after`](Self::after) the named ones, and stops it with them: whenever one of the named members
    /// goes down, be it by its own restart policy, by its handle or in a restart of the group, this member is stopped at
    /// once, without a drain, and started again when the named one is ready again. Members bound to this one follow. Calls
    /// add up.
    ///
    /// It is not started again if it was stopped by its own handle or has completed. While a named member is stopped by
    /// hand, this member rests like it; when a named member has failed for good and the group goes on, this member is
    /// stopped and fails with [`DependencyFailed`](crate::DependencyFailed). A named member that has completed, or says that
    /// it is not ready for now, is not down, until its handle starts it once more. These restarts count in
    /// [`Status::restarts`](crate::Status::restarts) and in no limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Member, Runner, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let idle = || service_fn(async |cx| cx.cancelled().await);
    /// let app = Group::builder("app")
    ///     .with("db", idle())
    ///     .with("http", Member::new(idle()).bound_to(["db"]))
    ///     .build()?;
    /// let app = Runner::new(app);
    /// app.start().await?;
    ///
    /// let [db, http] = ["db", "http"].map(|name| app.service().get(name).unwrap());
    /// db.restart().await?;
    /// while http.status().cycles() < 2 || !http.is_running() {
    ///     tokio::task::yield_now().await;
    /// }
    /// assert_eq!(http.status().restarts(), 1);
    /// # app.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn bound_to<N: Into<Cow<'static, str>>>(
        mut self,
        names: impl IntoIterator<Item = N>,
    ) -> Self {
        self.needs
            .bound_to
            .extend(names.into_iter().map(Into::into));
        self
    }

    /// Removes the member from the group when it has ended, also when its handle stopped it: its
    /// name is free again and its memory is freed. No member can depend on it, and a restart of the
    /// group only stops it.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Member, Runner, once, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let idle = service_fn(async |cx| cx.cancelled().await);
    /// let app = Runner::new(Group::builder("app").with("http", idle).build()?);
    /// app.start().await?;
    ///
    /// let session = Member::new(once(async |_cx| ())).transient();
    /// app.service().insert("session", session).await?;
    /// while app.service().get("session").is_some() {
    ///     tokio::task::yield_now().await;
    /// }
    /// assert_eq!(app.service().members(), ["http"]);
    /// # app.stop().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn transient(mut self) -> Self {
        self.policy.stay = Stay::Transient;
        self
    }

    /// Sets its settings, which come before those of the service itself. It bears the name under which it is added
    /// nevertheless, and a [`Runner`] that is shared keeps its own settings.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use startstop_core::{Group, Member, Runner, Settings, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let stubborn = service_fn(async |_cx| std::future::pending::<()>().await);
    /// let minute = Settings::new().stop_timeout(Duration::from_secs(60));
    /// let app = Group::builder("app").with("db", Member::new(stubborn).settings(minute)).build()?;
    /// let app = Runner::new(app);
    /// app.start().await?;
    ///
    /// let begun = tokio::time::Instant::now();
    /// assert!(app.stop().await.is_err());
    /// assert_eq!(begun.elapsed().as_secs(), 60);
    /// # Ok(())
    /// # }
    /// ```
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings.or(self.settings);
        self
    }

    /// Sets what happens when it fails. Default: [`OnFailure::StopGroup`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Member, OnFailure, Runner, once, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let report = Member::new(once(async |_cx| Err::<(), _>("no data"))).on_failure(OnFailure::Ignore);
    /// let server = service_fn(async |cx| cx.cancelled().await);
    /// let app = Group::builder("app").with("report", report).with("server", server);
    /// let app = Runner::new(app.build().unwrap());
    /// app.start().await.unwrap();
    /// assert!(app.is_running());
    /// # app.stop().await.unwrap();
    /// # }
    /// ```
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.policy.on_failure = on_failure;
        self
    }

    /// Sets what happens when it completes. Default: [`OnCompletion::Ignore`].
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Exit, Group, Member, OnCompletion, Runner, once, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let job = Member::new(once(async |_cx| ())).on_completion(OnCompletion::StopGroup);
    /// let server = service_fn(async |cx| cx.cancelled().await);
    /// let app = Runner::new(Group::builder("app").with("server", server).with("job", job).build().unwrap());
    /// app.request_start();
    /// assert_eq!(app.wait().await, Exit::Completed);
    /// # }
    /// ```
    pub fn on_completion(mut self, on_completion: OnCompletion) -> Self {
        self.policy.on_completion = on_completion;
        self
    }

    /// Returns whether others can depend on it.
    pub(super) fn is_transient(&self) -> bool {
        self.policy.stay == Stay::Transient
    }

    pub(super) fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Makes the runner of the member under this name, which asks the service for its settings.
    pub(super) fn prepare(self, name: SharedName) -> Prepared {
        let Self {
            make,
            settings,
            needs,
            policy,
        } = self;
        let settings = Settings::new().named(name).or(settings);
        Prepared {
            part: make(settings),
            needs,
            policy,
        }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("after", &self.needs.after)
            .field("bound_to", &self.needs.bound_to)
            .field("on_failure", &self.policy.on_failure)
            .field("on_completion", &self.policy.on_completion)
            .field("transient", &self.is_transient())
            .finish_non_exhaustive()
    }
}

/// The types that can be a member of a group: a service, a [`Runner`], which is shared, or a [`Member`].
///
/// Sealed: it is used in bounds and not called.
///
/// # Examples
///
/// ```
/// use startstop_core::{Group, IntoMember, Member, Runner, once};
///
/// fn named(group: &str, member: impl IntoMember) -> Group {
///     Group::builder(group.to_owned()).with("only", member).build().unwrap()
/// }
/// assert_eq!(named("a", once(async |_cx| ())).members(), ["only"]); // a service
/// assert_eq!(named("b", Runner::new(once(async |_cx| ()))).members(), ["only"]); // a runner
/// assert_eq!(named("c", Member::new(once(async |_cx| ()))).members(), ["only"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a member of a group",
    label = "neither a service, nor a `Runner`, nor a `Member`",
    note = "a closure becomes a service by `service_fn(async |cx| ..)`, a job by `once(async |cx| ..)`"
)]
pub trait IntoMember: sealed::SealedMember {
    #[doc(hidden)]
    fn into_member(self) -> Member;
}

impl<S: Service> IntoMember for S {
    fn into_member(self) -> Member {
        Member::new(self)
    }
}

impl IntoMember for Member {
    fn into_member(self) -> Member {
        self
    }
}

mod sealed {
    pub trait SealedMember {}
    impl<S: crate::service::Service> SealedMember for S {}
    impl SealedMember for super::Member {}
}
