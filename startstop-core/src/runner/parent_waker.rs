//! The waker that a parent token wakes when it is cancelled.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use crate::engine::parent::Parent;
use crate::engine::{Node, Shared, Synced, gate, request};
use crate::report::state::State;
use crate::sync::spawn_thread;

struct ParentWaker {
    node: Weak<dyn Node>,
    parent: u64,
}

impl Wake for ParentWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let look = |_: &Shared, synced: &mut Synced| synced.state() != State::Stopped;
        match gate::look(&self.node, look) {
            Some((true, _)) => {}
            Some((false, Some(last))) => return drop_apart(last),
            _ => return,
        }
        let Some(node) = self.node.upgrade() else {
            return;
        };
        request::stop_by_parent(&node, self.parent);
        if let Some(last) = node.let_go() {
            drop_apart(last);
        }
    }
}

/// Everybody else has let go meanwhile. With the service goes the handle of the token, which must not be dropped in its
/// waker: see invariant 2 of `parent`. It is as rare as it is short.
fn drop_apart(last: Box<dyn Any + Send>) {
    // If the system has none to give it is dropped here all the same.
    drop(spawn_thread(None, Box::new(move || drop(last))));
}

pub(super) fn watch(node: &Arc<dyn Node>, parent: &Arc<Parent>) {
    let current = node
        .shared()
        .synced()
        .parent()
        .is_some_and(|other| other.id() == parent.id());
    if current {
        let waker = ParentWaker {
            node: Arc::downgrade(node),
            parent: parent.id(),
        };
        parent.watch(&Waker::from(Arc::new(waker)));
    }
}
