//! The traits that the engine asks of a service, and of the owners that the service is a part of, whatever their types.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use super::Shared;
use super::gate::Gate;
use crate::report::shared_name::SharedName;
use crate::report::status::Status;
use crate::rules::span::Span;

/// A service together with its engine, whatever its type.
pub(crate) trait Node: Send + Sync + 'static {
    fn shared(&self) -> &Shared;

    /// Returns the service itself, for who knows its type.
    fn service(&self) -> &dyn Any;

    /// Returns the statuses that the service itself gives of what it is made of.
    fn children(&self) -> Vec<Status>;

    /// Returns what the service is made of, where it is made of runners.
    fn parts(&self) -> Vec<(SharedName, Arc<dyn Node>)>;

    /// Visits them, under a lock maybe: the visitor takes none.
    fn each_part(&self, visit: &mut dyn FnMut(&Arc<dyn Node>));

    /// Returns which composite the service is.
    fn identity(&self) -> Option<Identity>;

    /// Returns how long what the service is made of may take to stop, each part of it taking so long.
    fn grace(&self, parts: &[(SharedName, Span)]) -> Option<Duration>;

    /// Lets go of the service: what has to be dropped where user code may run.
    fn let_go(self: Arc<Self>) -> Option<Box<dyn Any + Send>>;

    /// Drops the last runner of the service, which has stopped, from behind its gate.
    fn leave(self: Arc<Self>, gate: Gate);

    /// Spawns what the engine needs.
    fn launch(self: Arc<Self>, job: Job);
}

/// Which composite it is, by the address of what its clones share.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity(pub(crate) usize);

/// A job that the engine asks to be spawned.
pub(crate) enum Job {
    /// The task that drives the service.
    Driver(SpawnTarget),
    /// The task that keeps a deadline.
    Deadline(SpawnTarget),
    /// A look of the thread at what is pending.
    Look,
    /// The call of `shutdown`.
    ShutdownCall(Handle, u64),
    /// A look at which runtimes have ended.
    ForgetRuntimes,
    /// The task that passes a reload request on.
    ReloadPassed(ReloadPassed),
}

impl Job {
    /// Returns whether what is spawned keeps the service.
    pub(super) fn takes_node(&self) -> bool {
        match self {
            Self::Driver(_) | Self::ShutdownCall(..) => true,
            Self::Deadline(_) | Self::Look | Self::ForgetRuntimes | Self::ReloadPassed(_) => false,
        }
    }
}

/// A reload request that is to be passed on to what is attached, in its order.
pub(crate) struct ReloadPassed {
    pub(super) on: Handle,
    pub(super) epoch: u64,
    pub(super) round: u32,
    pub(super) left: Vec<Weak<dyn Node>>,
}

/// The runtime that a task of the engine is to run on, and the number that the task proves itself with.
pub(crate) struct SpawnTarget {
    pub(crate) on: Handle,
    pub(crate) id: u32,
}

/// Is told whenever the state of a service has changed, or its stop was given up.
pub(crate) trait Observer: Send + Sync {
    /// Returns which owner it is, by the address of something that the observer keeps alive.
    fn owner(&self) -> usize;

    /// Something has become of this part of the owner.
    fn changed(&self, part: usize);

    /// The same on the thread of the deadlines, where nothing may block.
    #[cfg(not(startstop_loom))]
    fn changed_at_deadline(&self, part: usize) {
        self.changed(part);
    }
}
