//! The tasks of a runner: the driver of the service, and the call of `shutdown`.

mod place;
mod guard;
mod drive;
mod shutdown_call;

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::engine::runtimes;
use crate::engine::task::flush_lifo_slot;
use crate::engine::{Identity, Job, Node, Shared, attached, look_soon, spawn_deadline_task};
use crate::report::status::Status;
use crate::rules::span::Span;
use crate::runner::{StartStop, WeakRunner};
use crate::service::{Service, Spans};

/// A service that is larger than this in bytes is not moved, for it would be on the stack; it may be there for a moment longer.
const LARGE: usize = 16 * 1024;

/// A service with its core: the one allocation of a runner.
pub(crate) struct Inner<S> {
    pub(crate) shared: Shared,
    pub(crate) service: S,
}

impl<S: Service> Node for Inner<S> {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn children(&self) -> Vec<Status> {
        self.service.children()
    }

    fn parts(&self) -> Vec<(Cow<'static, str>, Arc<dyn Node>)> {
        let mut parts = self.service.__parts().0;
        if self.shared.has_attached.load(Ordering::Acquire) {
            parts.extend(attached::parts_of(&self.shared.synced()));
        }
        parts
    }

    fn identity(&self) -> Option<Identity> {
        self.service.__identity()
    }

    fn grace(&self, parts: &[(Cow<'static, str>, Span)]) -> Option<Duration> {
        match parts {
            [] => self.service.grace(),
            parts => self.service.__grace(Spans(parts)),
        }
    }

    fn handle(self: Arc<Self>) -> Option<Box<dyn Any>> {
        let runner = WeakRunner::new(&self).upgrade()?;
        Some(Box::new(Arc::new(runner) as Arc<dyn StartStop>))
    }

    fn let_go(self: Arc<Self>) -> Option<Box<dyn Any + Send>> {
        if size_of::<Self>() > LARGE {
            return Some(Box::new(self));
        }
        Arc::into_inner(self).map(|inner| Box::new(inner) as Box<dyn Any + Send>)
    }

    fn launch(self: Arc<Self>, job: Job) {
        match job {
            Job::Driver(target) => drive::spawn(self, &target),
            Job::Deadline(target) => spawn_deadline_task(&(self as Arc<dyn Node>), &target),
            Job::Look => look_soon(&(self as Arc<dyn Node>)),
            Job::ForgetRuntimes => runtimes::forget_ended(),
            Job::ShutdownCall(on, epoch) => {
                let call = shutdown_call::Call::new(Arc::clone(&self), epoch);
                shutdown_call::spawn(&self, &on, call);
                unblock_spawned(&self.shared, &on);
            }
        }
    }
}

/// Lets other workers take the task that was just spawned, if this one is inside of `run`, which may block. Otherwise the driver,
/// which is woken next, pushes the task out.
fn unblock_spawned(shared: &Shared, on: &Handle) {
    if shared.polling.load(Ordering::SeqCst) {
        flush_lifo_slot(on);
    }
}
