//! The waker that a parent token wakes when it is cancelled.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use super::Runner;
use crate::engine::parent::Parent;
use crate::engine::{Shared, Synced, gate, request};
use crate::report::state::State;
use crate::runner::driver::Inner;
use crate::service::Service;

struct ParentWaker<S: Service> {
    inner: Weak<Inner<S>>,
    parent: u64,
}

impl<S: Service> Wake for ParentWaker<S> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let look = |_: &Shared, synced: &mut Synced| synced.state() != State::Stopped;
        match gate::look(&self.inner, look) {
            Some((true, _)) => {}
            Some((false, Some(last))) => return drop_apart(last),
            _ => return,
        }
        let Some(inner) = self.inner.upgrade() else {
            return;
        };
        request::stop_by_parent(&inner, self.parent);
        if let Some(last) = Arc::into_inner(inner) {
            drop_apart(Box::new(last));
        }
    }
}

/// Everybody else has let go meanwhile. With the service goes the handle of the token, which must not be dropped in its
/// waker: see invariant 2 of `parent`. It is as rare as it is short.
fn drop_apart(last: Box<dyn Any + Send>) {
    std::thread::spawn(move || drop(last));
}

pub(super) fn watch<S: Service>(runner: &Runner<S>, parent: &Arc<Parent>) {
    let current = runner
        .inner()
        .shared
        .synced()
        .parent()
        .is_some_and(|other| other.id() == parent.id());
    if current {
        let waker = ParentWaker {
            inner: Arc::downgrade(runner.inner()),
            parent: parent.id(),
        };
        parent.watch(&Waker::from(Arc::new(waker)));
    }
}
