//! A struct of runners as a service: what the derive macro writes for it, and how that becomes a group.
//!
//! 1. The fields are the members: a group of clones is built for each run and dropped at its end, so that
//!    nothing is kept twice and the type needs no field for it.
//! 2. Names are those of the fields, known at compile time, where the macro has checked the graph: none is
//!    allocated.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Node;
use crate::group::{Group, GroupError, Member, OnCompletion, OnFailure};
use crate::report::panic::BoxError;
use crate::report::shared_name::SharedName;
use crate::report::status::Status;
use crate::rules::plan::Stay;
use crate::runner::Runner;
use crate::runner::snapshot;
use crate::service::context::Context;
use crate::service::{Parts, Service, Spans};
use crate::settings::restart_policy::Backoff;

/// A struct whose fields are members.
pub trait Composed {
    /// Returns the members, in the order in which they are declared.
    fn members<P>(&self) -> Vec<Field<'_>>;

    /// Returns the limit on restarts, if it is set.
    fn limit(&self) -> Option<(u32, Duration)> {
        None
    }

    /// Returns the backoff before restarts, if it is set.
    fn backoff(&self) -> Option<Backoff> {
        None
    }
}

/// One member.
#[allow(missing_debug_implementations)] // Not for users.
pub struct Field<'a> {
    name: &'static str,
    runner: &'a dyn Drive,
    after: &'static [&'static str],
    bound_to: &'static [&'static str],
    stay: Stay,
    on_failure: OnFailure,
    on_completion: OnCompletion,
}

impl<'a> Field<'a> {
    /// Makes a field of this name, which starts at once.
    pub(crate) fn new<S: Service>(name: &'static str, runner: &'a Runner<S>) -> Self {
        Self {
            name,
            runner,
            after: &[],
            bound_to: &[],
            stay: Stay::Permanent,
            on_failure: OnFailure::default(),
            on_completion: OnCompletion::default(),
        }
    }

    /// Makes it start after these.
    pub fn after(self, after: &'static [&'static str]) -> Self {
        Self { after, ..self }
    }

    /// Makes it start after these, and go down with them.
    pub fn bound_to(self, bound_to: &'static [&'static str]) -> Self {
        Self { bound_to, ..self }
    }

    /// Makes it leave when it has ended.
    pub fn transient(self) -> Self {
        Self {
            stay: Stay::Transient,
            ..self
        }
    }

    /// Sets what happens when it fails.
    pub fn on_failure(self, on_failure: OnFailure) -> Self {
        Self { on_failure, ..self }
    }

    /// Sets what happens when it completes.
    pub fn on_completion(self, on_completion: OnCompletion) -> Self {
        Self {
            on_completion,
            ..self
        }
    }

    fn member(&self) -> Member {
        let member = self.runner.member();
        let member = member.after(self.after.iter().copied());
        let member = member.bound_to(self.bound_to.iter().copied());
        let member = if self.stay == Stay::Transient {
            member.transient()
        } else {
            member
        };
        member
            .on_failure(self.on_failure)
            .on_completion(self.on_completion)
    }
}

/// A runner, whatever its service.
trait Drive {
    fn node(&self) -> Arc<dyn Node>;
    fn member(&self) -> Member;
}

impl<S: Service> Drive for Runner<S> {
    fn node(&self) -> Arc<dyn Node> {
        Self::node(self)
    }

    fn member(&self) -> Member {
        Member::new(self.clone())
    }
}

/// Implements `run` of a composed service.
///
/// # Errors
///
/// The failure of a member that is not handled otherwise.
pub(crate) fn compose<S: Composed, E: From<BoxError>>(
    service: &S,
    cx: Context,
) -> impl Future<Output = Result<(), E>> + Send {
    let group = group(service);
    async move {
        let ended = match group {
            Ok(group) => group.run(cx).await,
            Err(error) => Err(error.into()),
        };
        ended.map_err(E::from)
    }
}

fn group<S: Composed>(service: &S) -> Result<Group, GroupError> {
    // The name that is seen is that of the runner.
    let mut builder = Group::builder("");
    if let Some((max, window)) = service.limit() {
        builder = builder.limit(max, window);
    }
    if let Some(backoff) = service.backoff() {
        builder = builder.backoff(backoff);
    }
    for field in service.members::<()>() {
        builder = builder.with_static(field.name, field.member());
    }
    builder.build()
}

/// Implements `grace` of a composed service.
pub fn grace<S: Composed + Service>(service: &S) -> Option<Duration> {
    let drain = service.settings().get_drain();
    let group = group(service).ok()?;
    Some(group.grace_after(drain))
}

/// Implements `__grace` of a composed service.
pub fn grace_of<S: Composed>(service: &S, parts: Spans<'_>) -> Option<Duration> {
    group(service).ok()?.__grace(parts)
}

/// Implements `__parts` of a composed service.
pub fn parts<S: Composed>(service: &S) -> Parts {
    let part = |field: Field<'_>| (SharedName::Static(field.name), field.runner.node());
    Parts(service.members::<()>().into_iter().map(part).collect())
}

/// Implements `children` of a composed service.
pub fn children<S: Composed>(service: &S) -> Vec<Status> {
    snapshot::statuses(parts(service))
}
