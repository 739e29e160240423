//! The tasks of a runner: the driver of the service, and the call of `shutdown`.

mod place;
mod guard;
mod interlude;
mod drive;
mod shutdown_call;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::engine::gate::{self, Gate};
use crate::engine::task::flush_lifo_slot;
use crate::engine::{Identity, Job, Mark, Node, Shared, Synced, attached, parts};
use crate::report::shared_name::SharedName;
use crate::report::status::Status;
use crate::rules::span::Span;
use crate::service::{EachPart, Service, Spans};

use shutdown_call::MakeShutdown;

/// A service with its engine: the one allocation of a runner. Only here its type is known, so that what is compiled with the
/// type of a user's service is little.
pub(crate) struct Inner<S> {
    pub(crate) shared: Shared,
    pub(crate) service: S,
}

impl<S: Service> Node for Inner<S> {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn service(&self) -> &dyn Any {
        &self.service
    }

    fn children(&self) -> Vec<Status> {
        self.service.children()
    }

    fn parts(&self) -> Vec<(SharedName, Arc<dyn Node>)> {
        with_attached(self.service.__parts().0, &self.shared)
    }

    fn each_part(&self, visit: &mut dyn FnMut(&Arc<dyn Node>)) {
        self.service.__each_part(EachPart(visit));
        if self.shared.marks.has(Mark::HasAttached) {
            attached::each_part(&self.shared.synced(), visit);
        }
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

    fn let_go(self: Arc<Self>) -> Option<Box<dyn Any + Send>> {
        if const { size_of::<Self>() > gate::LARGE } {
            return Some(Box::new(self));
        }
        Arc::into_inner(self).map(|inner| Box::new(inner) as Box<dyn Any + Send>)
    }

    fn leave(self: Arc<Self>, gate: Gate) {
        gate::leave(gate, self);
    }

    fn launch(self: Arc<Self>, job: Job) {
        match job {
            Job::Driver(target) => drive::spawn::<S>(self, &target),
            job => launch_other(self, job, shutdown_call::future_of::<S>),
        }
    }
}

/// The service of a node that was made for one of this type.
pub(super) fn service_of<S: Service>(node: &Arc<dyn Node>) -> &S {
    let service = node.service().downcast_ref();
    service.expect("a runner is of the type of its service")
}

/// Adds what is attached to what a service is made of.
fn with_attached(
    mut parts: Vec<(SharedName, Arc<dyn Node>)>,
    shared: &Shared,
) -> Vec<(SharedName, Arc<dyn Node>)> {
    if shared.marks.has(Mark::HasAttached) {
        parts.extend(attached::parts_of(&shared.synced()));
    }
    parts
}

fn launch_other(node: Arc<dyn Node>, job: Job, shutdown: MakeShutdown) {
    let Job::ShutdownCall(on, epoch) = job else {
        return job.launch_apart(&Arc::downgrade(&node));
    };
    // Inside of `run`, which may block, other workers shall take the task that is spawned. Otherwise the
    // driver, which is woken next, pushes it out.
    let polls = node.shared().polling.load(Ordering::SeqCst);
    let weak = Arc::downgrade(&node);
    let call = shutdown_call::Call::new(node, epoch, shutdown);
    let task = shutdown_call::spawn(&on, call);
    let keep =
        |shared: &Shared, synced: &mut Synced| parts::shutdown_spawned(synced, shared, epoch, task);
    if let Some((late, last)) = gate::look(&weak, keep) {
        shutdown_call::abort(late);
        drop(last);
    }
    if polls {
        flush_lifo_slot(&on);
    }
}
