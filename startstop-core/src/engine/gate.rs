//! A reference to a service is let go before anybody can see what was done with it.
//!
//! The end of a cycle is told by the driver, or by the last part to end, and each has a reference to the service. Who sees
//! `Stopped` and drops the last runner expects the value to be gone then, and with it the port that it has bound. So
//! a reference that is no runner is had and dropped behind a gate, with the change or the look that it is for; the last runner
//! passes the gate, and from then on until it is dropped nobody comes to another reference. No user code runs behind a gate.
//!
//! What stays outside are references of the user (a `Context` that he keeps), and those of parts that have not ended.

use std::any::Any;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::{Deferred, Node, Shared, Synced};
use crate::report::state::State;

/// The gates; the services share a few.
#[cfg(not(startstop_loom))]
mod gates {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    const COUNT: usize = 64;

    /// The addresses of services that have stopped, and whose last runner is being dropped.
    static GATES: [Mutex<Vec<usize>>; COUNT] = [const { Mutex::new(Vec::new()) }; COUNT];

    pub(super) struct Gate {
        leaving: MutexGuard<'static, Vec<usize>>,
        address: usize,
    }

    /// The gate of a service, by its address.
    pub(super) fn of(address: usize) -> Gate {
        // The lowest bits are those of the alignment.
        let leaving = GATES[(address >> 6) % COUNT]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Gate { leaving, address }
    }

    impl Gate {
        pub(super) fn is_leaving(&self) -> bool {
            self.leaving.contains(&self.address)
        }

        pub(super) fn begin_leaving(mut self) {
            let address = self.address;
            self.leaving.push(address);
        }

        pub(super) fn end_leaving(mut self) {
            let address = self.address;
            if let Some(at) = self.leaving.iter().position(|other| *other == address) {
                self.leaving.swap_remove(at);
            }
        }
    }
}

/// The counts of references are not known to loom.
#[cfg(startstop_loom)]
mod gates {
    pub(super) struct Gate;

    pub(super) fn of(_: usize) -> Gate {
        Gate
    }

    impl Gate {
        pub(super) fn is_leaving(&self) -> bool {
            false
        }

        pub(super) fn begin_leaving(self) {}

        pub(super) fn end_leaving(self) {}
    }
}

use gates::Gate;

fn of<N: Node + ?Sized>(node: &Arc<N>) -> Gate {
    gates::of(Arc::as_ptr(node).cast::<()>().addr())
}

/// The gate of a service that may be gone, and the service.
fn enter<N: Node + ?Sized>(node: &Weak<N>) -> Option<(Gate, Arc<N>)> {
    let gate = gates::of(Weak::as_ptr(node).cast::<()>().addr());
    if gate.is_leaving() {
        return None;
    }
    let node = node.upgrade()?;
    Some((gate, node))
}

/// Lets go of a service behind its gate: what is to be dropped where user code may run.
fn let_go<N: Node + ?Sized>(_: &Gate, node: Arc<N>) -> Option<Box<dyn Any + Send>> {
    if node.shared().is_left.load(Ordering::Relaxed) {
        return node.let_go();
    }
    // A runner has a reference as well, and will pass this gate before it drops it.
    drop(node);
    None
}

/// Drops the last runner.
pub(crate) fn leave_for_good<N: Node + ?Sized>(node: Arc<N>) {
    /// Its drop, which comes after that of the service, lets others in again.
    struct Leaving(usize);

    impl Drop for Leaving {
        fn drop(&mut self) {
            gates::of(self.0).end_leaving();
        }
    }

    let gate = of(&node);
    node.shared().is_left.store(true, Ordering::Relaxed);
    if node.shared().atomic_state.read().state() != State::Stopped {
        // Something of it has a reference; deadlines are to be looked at.
        drop(gate);
        drop(node);
        return;
    }
    let leaving = Leaving(Arc::as_ptr(&node).cast::<()>().addr());
    gate.begin_leaving();
    drop(node);
    drop(leaving);
}

/// Comes to a runner again, if there is one or the service goes on without.
pub(crate) fn come_back<N: Node + ?Sized>(
    node: &Weak<N>,
    may: impl FnOnce(&Shared) -> bool,
) -> Option<Arc<N>> {
    let (gate, node) = enter(node)?;
    if may(node.shared()) {
        node.shared().is_left.store(false, Ordering::Relaxed);
        return Some(node);
    }
    let last = let_go(&gate, node);
    drop(gate);
    drop(last);
    None
}

/// Looks at a service that may be gone, and lets go of it at once: what the look says, and what is to be dropped where user
/// code may run.
pub(crate) fn look<T, N: Node + ?Sized>(
    node: &Weak<N>,
    look: impl FnOnce(&Shared, &mut Synced) -> T,
) -> Option<(T, Option<Box<dyn Any + Send>>)> {
    glance(node, |shared| look(shared, &mut shared.synced()))
}

/// The same without the lock.
pub(crate) fn glance<T, N: Node + ?Sized>(
    node: &Weak<N>,
    glance: impl FnOnce(&Shared) -> T,
) -> Option<(T, Option<Box<dyn Any + Send>>)> {
    let (gate, node) = enter(node)?;
    let seen = glance(node.shared());
    let last = let_go(&gate, node);
    drop(gate);
    Some((seen, last))
}

/// The actions that are left after a change that has let go of the service.
pub(super) struct Parting {
    deferred: Deferred,
    name: Option<String>,
    /// The box that may hold the service.
    last: Option<Box<dyn Any + Send>>,
}

impl Parting {
    fn new<N: Node + ?Sized>(gate: Gate, node: Arc<N>, mut deferred: Deferred) -> Self {
        let name = deferred.has_news().then(|| node.shared().name().to_owned());
        if deferred.has_verdict() {
            drop(gate);
            deferred.tell_verdict(&node);
            let last = let_go(&of(&node), node);
            return Self {
                deferred,
                name,
                last,
            };
        }
        if !deferred.has_jobs() {
            let last = let_go(&gate, node);
            drop(gate);
            return Self {
                deferred,
                name,
                last,
            };
        }
        let weak = Arc::clone(&node).downgrade();
        let mut jobs = deferred.take_jobs_with_node();
        let last = if let Some(job) = jobs.pop() {
            drop(gate);
            deferred.tell();
            for other in jobs {
                Arc::clone(&node).launch(other);
            }
            // The service goes on with it.
            node.launch(job);
            None
        } else {
            let last = let_go(&gate, node);
            drop(gate);
            last
        };
        deferred.tell();
        deferred.launch_apart(&weak);
        Self {
            deferred,
            name,
            last,
        }
    }

    /// All of it.
    pub(super) fn carry_out(self) {
        let Self {
            mut deferred,
            name,
            last,
        } = self;
        deferred.carry_out_without(name.as_deref());
        deferred.forget();
        drop(last);
    }

    /// Carries out what cannot wait, and does not block unless a waker does.
    #[cfg(not(startstop_loom))]
    pub(super) fn carry_out_urgent(&mut self) {
        self.deferred.carry_out_urgent();
    }
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

/// A change of a service that may be gone, by who has no reference but for this change.
pub(crate) fn update_apart<N>(
    node: &Weak<N>,
    change: impl FnOnce(&Shared, &mut Synced, &mut Deferred),
) where
    N: Node + ?Sized,
{
    if let Some(parting) = change_apart(node, change) {
        parting.carry_out();
    }
}

/// The same where nothing may block: what follows from the change is left to be carried out.
pub(super) fn change_apart<N>(
    node: &Weak<N>,
    change: impl FnOnce(&Shared, &mut Synced, &mut Deferred),
) -> Option<Parting>
where
    N: Node + ?Sized,
{
    let (gate, node) = enter(node)?;
    let mut deferred = Deferred::default();
    change(node.shared(), &mut node.shared().synced(), &mut deferred);
    Some(Parting::new(gate, node, deferred))
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
    if !leaves(&result) {
        drop(gate);
        deferred.run(&node);
        deferred.forget();
        return (result, Some(node));
    }
    Parting::new(gate, node, deferred).carry_out();
    (result, None)
}
