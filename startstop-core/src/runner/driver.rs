//! The tasks of a runner: the driver of the service, and the call of `shutdown`.

mod place;
mod guard;
mod drive;
mod shutdown_call;

use std::any::Any;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::engine::task::flush_lifo_slot;
use crate::engine::{Identity, Job, Node, Shared, Synced, attached, gate, parts};
use crate::report::shared_name::SharedName;
use crate::report::status::Status;
use crate::rules::span::Span;
use crate::runner::{StartStop, WeakRunner};
use crate::service::{Service, Spans};

/// A service with its engine: the one allocation of a runner.
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

    fn parts(&self) -> Vec<(SharedName, Arc<dyn Node>)> {
        let mut parts = self.service.__parts().0;
        if self.shared.has_attached.load(Ordering::Acquire) {
            parts.extend(attached::parts_of(&self.shared.synced()));
        }
        parts
    }

    fn identity(&self) -> Option<Identity> {
        self.service.__identity()
    }

    fn grace(&self, parts: &[(SharedName, Span)]) -> Option<Duration> {
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
        if size_of::<Self>() > gate::LARGE {
            return Some(Box::new(self));
        }
        Arc::into_inner(self).map(|inner| Box::new(inner) as Box<dyn Any + Send>)
    }

    fn downgrade(self: Arc<Self>) -> Weak<dyn Node> {
        Arc::downgrade(&self) as Weak<dyn Node>
    }

    fn launch(self: Arc<Self>, job: Job) {
        match job {
            Job::Driver(target) => drive::spawn(self, &target),
            Job::ShutdownCall(on, epoch) => {
                // Inside of `run`, which may block, other workers shall take the task that is spawned. Otherwise the
                // driver, which is woken next, pushes it out.
                let polls = self.shared.polling.load(Ordering::SeqCst);
                let weak = Arc::downgrade(&self);
                let task = shutdown_call::spawn(&on, shutdown_call::Call::new(self, epoch));
                let note =
                    |_: &Shared, synced: &mut Synced| parts::shutdown_spawned(synced, epoch, task);
                if let Some((late, last)) = gate::look(&weak, note) {
                    shutdown_call::abort(late);
                    drop(last);
                }
                if polls {
                    flush_lifo_slot(&on);
                }
            }
            job => job.launch_apart(&self.downgrade()),
        }
    }
}
