//! Runners as parts of an attempt of another, as members are parts of a group.

use std::fmt;
use std::sync::{Arc, Weak};

use super::{Runner, listen};
use crate::engine::attached::{Refused, is_same};
use crate::engine::attempt_guard::AttemptGuard;
use crate::engine::owners::PartObserver;
use crate::engine::request::{self, Caller};
use crate::engine::{
    Ending, Mark, Node, Observer, Shared, Synced, ancestry, attached, defer, gate, owners,
};
use crate::report::path::is_name;
use crate::report::shared_name::SharedName;
use crate::report::state::State;
use crate::report::text::joined;
use crate::rules::lifecycle::StopStage;
use crate::service::Service;
use crate::service::context::{Attempt, Context};

/// Why a runner was not attached.
///
/// # Examples
///
/// ```
/// use startstop_core::{AttachError, Context, Runner, once, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let worker = Runner::new(service_fn(async |cx| cx.cancelled().await));
/// let whole = Runner::new(once(move |cx: Context| {
///     let worker = worker.clone();
///     async move {
///         cx.attach("worker", &worker).unwrap();
///         let again = cx.attach("worker", &worker);
///         assert!(matches!(again, Err(AttachError::DuplicateName { .. })));
///     }
/// }));
/// whole.start().await.unwrap();
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The name is taken, or the runner is attached already.
    #[error("there is a part {name:?} already")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// The name is empty, or has a `/` in it, which parts the names in a path.
    #[error("{name:?} cannot be the name of a part: it is empty or has a `/` in it")]
    InvalidName {
        /// The name.
        name: String,
    },
    /// The runner is this service's own, or one that the service is a part of.
    #[error("a part of itself: {}", joined(path, " -> "))]
    Cycle {
        /// The names from the runner down to the service.
        path: Vec<String>,
    },
    /// The attempt is aborted, or has ended.
    #[error("the attempt has ended")]
    Ended,
}

impl Context {
    /// Makes a runner a part of this attempt, as members are parts of a group: in the status, in
    /// paths, events and drains. Use it for composites of your own.
    ///
    /// The caller starts the runner by its handle, before or after. When the attempt is to end, the
    /// runner is told to stop, and at the deadline of the attempt it is aborted. The attempt ends
    /// only when the runner has; if the runner is unresponsive, so is the attempt. It stops being a
    /// part once the attempt has ended.
    ///
    /// A [reload request](Context::reloaded) goes to the service itself if anything in it waits for
    /// one; otherwise it is passed on to the attached runners, one after another.
    ///
    /// Does nothing with a context that has no runner.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{BoxError, Context, Runner, State, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let whole = Runner::new(service_fn(async |cx: Context| {
    ///     let worker = Runner::new(service_fn(async |cx| cx.cancelled().await));
    ///     cx.attach("worker", &worker)?;
    ///     worker.start().await?;
    ///     cx.cancelled().await;
    ///     worker.wait().await; // it was told as well
    ///     Ok::<(), BoxError>(())
    /// }));
    /// whole.start().await.unwrap();
    /// # tokio::task::yield_now().await;
    /// # tokio::task::yield_now().await;
    ///
    /// let status = whole.status();
    /// assert_eq!(status.children()[0].name(), "worker");
    /// assert_eq!(status.children()[0].state(), State::Running);
    /// whole.stop().await.unwrap();
    /// assert!(whole.status().children().is_empty());
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`DuplicateName`](AttachError::DuplicateName): the name is taken, or the runner is attached already.
    /// - [`InvalidName`](AttachError::InvalidName): the name is empty, or has a `/` in it.
    /// - [`Cycle`](AttachError::Cycle): the runner is that of this service, or one that this service is a part of.
    /// - [`Ended`](AttachError::Ended): the attempt is aborted, or has ended.
    pub fn attach<S: Service>(
        &self,
        name: impl Into<String>,
        runner: &Runner<S>,
    ) -> Result<(), AttachError> {
        attach(self, &SharedName::from(name.into()), &runner.node())
    }

    /// Detaches a runner that has ended from this attempt, and returns whether it did. Use it for
    /// parts that are replaced over time, such as successors. A runner that has not ended stays,
    /// since the attempt waits for it.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{BoxError, Context, Runner, once, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let whole = Runner::new(once(async |cx: Context| {
    ///     let step = Runner::new(service_fn(async |cx| cx.cancelled().await));
    ///     cx.attach("step", &step)?;
    ///     step.start().await?;
    ///     assert!(!cx.detach(&step));
    ///     step.stop().await?;
    ///     assert!(cx.detach(&step));
    ///     cx.attach("step", &Runner::new(once(async |_cx| ())))?; // the name is free
    ///     Ok::<(), BoxError>(())
    /// }));
    /// whole.start().await.unwrap();
    /// # }
    /// ```
    pub fn detach<S: Service>(&self, runner: &Runner<S>) -> bool {
        detach(self, &runner.node())
    }
}

fn attach(cx: &Context, name: &SharedName, part: &Arc<dyn Node>) -> Result<(), AttachError> {
    let Some(attempt) = cx.attempt_link() else {
        return Ok(());
    };
    let (owner, epoch) = (attempt.node(), attempt.epoch());
    if !is_name(name) {
        let name = name.to_string();
        return Err(AttachError::InvalidName { name });
    }
    let is_owner = |node: &Arc<dyn Node>| is_same(node, owner);
    // Dropped when the lock is released.
    let mut others = Vec::new();
    let add = || add(owner, epoch, name, part, &mut others);
    let added =
        ancestry::add(part, name, is_owner, add).map_err(|path| AttachError::Cycle { path })?;
    added.map_err(|why| match why {
        Refused::Taken => duplicate(name),
        Refused::Ended => AttachError::Ended,
    })?;
    let link = Arc::new(Attachment::new(owner, epoch, name, part));
    listen::place(owner, name, part);
    defer(part, |deferred| {
        listen::inserted(owner, name, part, deferred);
    });
    if keep(attempt, &link, part) {
        Ok(())
    } else {
        Err(AttachError::Ended)
    }
}

/// Observes a part that is on its way, until the attempt has ended; returns whether that has not ended already.
fn keep(attempt: &Attempt, link: &Arc<Attachment>, part: &Arc<dyn Node>) -> bool {
    let old = owners::observe(
        &mut part.shared().synced(),
        PartObserver::new(Arc::clone(link) as Arc<dyn Observer>, WHOLE),
    );
    drop(old);
    let at_end = Arc::clone(link);
    let ending = Ending(Box::new(move || at_end.detach()));
    let shared = attempt.node().shared();
    // In a statement of its own, so that what is handed back is dropped outside of the lock.
    let kept = attached::has_come(&mut shared.synced(), shared, link.epoch, part, ending);
    if kept.is_err() {
        link.detach();
        return false;
    }
    // It may run already.
    link.changed(WHOLE);
    true
}

fn detach(cx: &Context, part: &Arc<dyn Node>) -> bool {
    let Some(attempt) = cx.attempt_link() else {
        return false;
    };
    let (owner, epoch) = (attempt.node(), attempt.epoch());
    let is_stopped = || part.shared().atomic_state.read().state() == State::Stopped;
    if !is_stopped() {
        return false;
    }
    let left = attached::leave(&mut owner.shared().synced(), part);
    let Some((name, ending)) = left else {
        return false;
    };
    drop(ending);
    let link = Attachment::new(owner, epoch, &name, part);
    link.let_go(part);
    // Somebody may have begun a start before the attempt stopped looking.
    if is_stopped() {
        link.take_out(owner, part);
        return true;
    }
    keep(attempt, &Arc::new(link), part);
    false
}

/// Notes the part, unless its name is taken. The other parts are left to the caller.
fn add(
    owner: &Arc<dyn Node>,
    epoch: u64,
    name: &SharedName,
    part: &Arc<dyn Node>,
    others: &mut Vec<(SharedName, Arc<dyn Node>)>,
) -> Result<(), Refused> {
    *others = owner.parts();
    let is_taken =
        |(other, node): &(SharedName, Arc<dyn Node>)| **other == **name || is_same(node, part);
    if others.iter().any(is_taken) {
        return Err(Refused::Taken);
    }
    // Before it is there: who finds it, finds this.
    owner.shared().marks.set(Mark::HasAttached);
    let shared = owner.shared();
    attached::attach(&mut shared.synced(), shared, epoch, name, part)
}

fn duplicate(name: &str) -> AttachError {
    AttachError::DuplicateName {
        name: name.to_owned(),
    }
}

/// The number of what is attached: an attempt observes it as no other part of a composite.
const WHOLE: usize = usize::MAX;

/// Between an attempt and what is attached to it.
struct Attachment {
    owner: Weak<dyn Node>,
    epoch: u64,
    name: SharedName,
    part: Weak<dyn Node>,
}

impl Attachment {
    fn new(owner: &Arc<dyn Node>, epoch: u64, name: &SharedName, part: &Arc<dyn Node>) -> Self {
        Self {
            owner: Arc::downgrade(owner),
            epoch,
            name: name.clone(),
            part: Arc::downgrade(part),
        }
    }

    /// The attempt has ended.
    fn detach(&self) {
        if let (Some(owner), Some(part)) = (self.owner.upgrade(), self.part.upgrade()) {
            self.let_go(&part);
            self.take_out(&owner, &part);
        }
    }

    /// Stops looking at the part.
    fn let_go(&self, part: &Arc<dyn Node>) {
        let old = owners::unobserve(&mut part.shared().synced(), (self.owner(), WHOLE));
        drop(old);
    }

    /// Its name is free when those who listen have heard of it for the last time.
    fn take_out(&self, owner: &Arc<dyn Node>, part: &Arc<dyn Node>) {
        listen::removed(owner, &self.name, part);
        let old = attached::detach(&mut owner.shared().synced(), part);
        drop(old);
    }
}

impl Observer for Attachment {
    /// No other owner observes by the address of its runner.
    fn owner(&self) -> usize {
        self.owner.as_ptr().addr()
    }

    /// Keeps the attempt from its end until the part has ended, once that has begun.
    fn changed(&self, _: usize) {
        let owner = self.owner.as_ptr().addr();
        let look = |_: &Shared, synced: &mut Synced| {
            !owners::is_part_of(synced, owner) && synced.state() != State::Stopped
        };
        // Who sees that the part has stopped finds nobody who looks at it.
        let Some((true, _)) = gate::look(&self.part, look) else {
            return;
        };
        let (Some(owner), Some(part)) = (self.owner.upgrade(), self.part.upgrade()) else {
            return;
        };
        let Ok(place) = AttemptGuard::attached(&owner, self.epoch) else {
            request::abort_part(&part);
            return;
        };
        let rest = owners::keep_guard(&mut part.shared().synced(), place);
        drop(rest);
        if owner.shared().stage(self.epoch) >= StopStage::Cancelled {
            let left = attached::remaining(&owner.shared().synced());
            request::stop_part(&part, left, Caller::No);
        }
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
