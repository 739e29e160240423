//! What a group is made of.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::engine::Node;
use crate::runner::{Runner, StartStop};
use crate::service::{Service, Shared};
use crate::settings::Settings;
use crate::settings::member_policy::{OnCompletion, OnFailure};

/// A service as a member of a group, with what the group has to know of it.
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
    make: Box<dyn FnOnce(&str) -> Part + Send>,
    pub(super) after: Vec<Cow<'static, str>>,
    on_failure: OnFailure,
    on_completion: OnCompletion,
}

/// A member whose runner is made.
pub(super) struct Prepared {
    pub(super) part: Part,
    pub(super) after: Vec<Cow<'static, str>>,
    pub(super) on_failure: OnFailure,
    pub(super) on_completion: OnCompletion,
}

/// A runner, whatever its service, as a group drives it.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) node: Arc<dyn Node>,
    pub(super) handle: Arc<dyn StartStop>,
}

impl<S: Service> From<Runner<S>> for Part {
    fn from(runner: Runner<S>) -> Self {
        Self { node: runner.node(), handle: Arc::new(runner) }
    }
}

impl Member {
    /// A service as a member. A [`Runner`] is shared: the group drives it, and it stays a handle.
    ///
    /// # Examples
    ///
    /// See [`Member`].
    #[allow(clippy::missing_panics_doc)] // A runner shares itself as what is looked for here.
    pub fn new(service: impl Service) -> Self {
        let make: Box<dyn FnOnce(&str) -> Part + Send> = match service.__share() {
            Ok(Shared { node, handle }) => Box::new(|_| {
                let handle = handle.downcast::<Arc<dyn StartStop>>();
                let handle = *handle.expect("a runner shares itself as a `StartStop`");
                Part { node, handle }
            }),
            Err(service) => Box::new(|name| {
                let settings = Settings::new().name(name.to_owned());
                Runner::with_settings(service, settings).into()
            }),
        };
        Self {
            make,
            after: Vec::new(),
            on_failure: OnFailure::default(),
            on_completion: OnCompletion::default(),
        }
    }

    /// Has it start after these members. Calls add up.
    ///
    /// # Examples
    ///
    /// See [`Member`].
    pub fn after<N: Into<Cow<'static, str>>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.after.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets what happens when it fails. Default: [`OnFailure::StopGroup`].
    ///
    /// # Examples
    ///
    /// See [`OnFailure`].
    pub fn on_failure(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    /// Sets what happens when it completes. Default: [`OnCompletion::Ignore`].
    ///
    /// # Examples
    ///
    /// See [`OnCompletion`].
    pub fn on_completion(mut self, on_completion: OnCompletion) -> Self {
        self.on_completion = on_completion;
        self
    }

    /// Makes the runner of the member under this name, which asks the service for its settings.
    pub(super) fn prepare(self, name: &str) -> Prepared {
        let Self { make, after, on_failure, on_completion } = self;
        Prepared { part: make(name), after, on_failure, on_completion }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("after", &self.after)
            .field("on_failure", &self.on_failure)
            .field("on_completion", &self.on_completion)
            .finish_non_exhaustive()
    }
}

/// What can be a member of a group: a service, a [`Runner`], which is shared, or a [`Member`].
///
/// Sealed: it is used in bounds and not called.
///
/// # Examples
///
/// See [`Member`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a member of a group",
    label = "neither a service, nor a `Runner`, nor a `Member`",
    note = "a closure becomes a service by `service_fn(async |cx| ..)`, a job by `once(async |cx| ..)`"
)]
pub trait IntoMember: sealed::Sealed {
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
    pub trait Sealed {}
    impl<S: crate::service::Service> Sealed for S {}
    impl Sealed for super::Member {}
}
