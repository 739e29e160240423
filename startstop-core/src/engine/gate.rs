//! Whoever is done with a service lets go of it before anybody can see what he has done.
//!
//! The end of a cycle is told by the driver, or by the last part to end, and each has a reference to the service. Who sees
//! `Stopped` and drops the last runner expects the value to be gone then, and with it the port that it has bound. So
//! the last change that somebody makes is made behind a gate, and so is the drop of his reference; the last runner passes the
//! gate before it is dropped. No user code runs behind a gate.

use std::sync::Arc;

use super::{Deferred, Node, Shared, Synced};

/// What is behind a gate; the services share a few.
#[cfg(not(startstop_loom))]
mod gates {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    const COUNT: usize = 64;

    static GATES: [Mutex<()>; COUNT] = [const { Mutex::new(()) }; COUNT];

    pub(super) type Gate = MutexGuard<'static, ()>;

    /// The gate of a service, by its address.
    pub(super) fn of(address: usize) -> Gate {
        // The lowest bits are those of the alignment.
        GATES[(address >> 6) % COUNT].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The counts of references are not known to loom.
#[cfg(startstop_loom)]
mod gates {
    pub(super) struct Gate;

    pub(super) fn of(_: usize) -> Gate {
        Gate
    }
}

fn of<N: Node + ?Sized>(node: &Arc<N>) -> gates::Gate {
    gates::of(Arc::as_ptr(node).cast::<()>().addr())
}

/// Waits for who is letting go of the service at this moment.
pub(crate) fn pass<N: Node + ?Sized>(node: &Arc<N>) {
    drop(of(node));
}

/// Looks at a service that may be gone, and lets go of it at once: what the look says, and what is to be dropped where user
/// code may run.
pub(super) fn look<T>(
    node: &std::sync::Weak<dyn Node>,
    look: impl FnOnce(&Shared, &mut Synced) -> T,
) -> Option<(T, Option<Box<dyn std::any::Any + Send>>)> {
    let gate = gates::of(std::sync::Weak::as_ptr(node).cast::<()>().addr());
    let node = node.upgrade()?;
    let seen = look(node.shared(), &mut node.shared().synced());
    let last = node.let_go();
    drop(gate);
    Some((seen, last))
}

/// The last change that somebody makes: he lets go of the service with it.
pub(crate) fn update_and_leave<N, T>(
    node: Arc<N>,
    change: impl FnOnce(&Shared, &mut Synced, &mut Deferred) -> T,
) -> T
where
    N: Node + ?Sized,
{
    update_or_leave(node, change, |_| true).0
}

/// A change after which he leaves, or goes on with the service.
pub(crate) fn update_or_leave<N, T>(
    node: Arc<N>,
    change: impl FnOnce(&Shared, &mut Synced, &mut Deferred) -> T,
    leaves: impl FnOnce(&T) -> bool,
) -> (T, Option<Arc<N>>)
where
    N: Node + ?Sized,
{
    let gate = of(&node);
    let shared = node.shared();
    let mut deferred = Deferred::default();
    let mut synced = shared.synced();
    let result = change(shared, &mut synced, &mut deferred);
    drop(synced);
    let leaves = leaves(&result);
    if !leaves || deferred.needs_node() {
        // What follows goes on with the service, so that nobody takes it for gone.
        drop(gate);
        deferred.run(&node);
        deferred.forget();
        return (result, (!leaves).then_some(node));
    }
    let name = deferred.has_news().then(|| shared.name().to_owned());
    let last = node.let_go();
    drop(gate);
    deferred.carry_out_without(name.as_deref());
    deferred.forget();
    drop(last);
    (result, None)
}
