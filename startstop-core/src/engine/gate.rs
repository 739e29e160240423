//! A reference to a service is let go before anybody can see what was done with it.
//!
//! The end of a cycle is told by the driver, or by the last part to end, and each has a reference to the service. Who sees
//! `Stopped` and drops the last runner expects the value to be gone then, and with it the port that it has bound. So
//! a reference that is no runner is had and dropped behind a gate, with the change or the look that it is for; the last runner
//! passes the gate, and from then on until it is dropped nobody comes to another reference. No user code runs behind a gate.
//!
//! References of the user (a `Context` that is kept), and those of parts that have not ended, stay outside.

use std::any::Any;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::{Deferred, Node, Shared, Synced};
use crate::report::state::State;
#[cfg(not(startstop_loom))]
use crate::sync::spawn_boxed;

#[cfg(any(test, not(startstop_loom)))]
pub(crate) mod gates;

/// Those of the process.
#[cfg(not(startstop_loom))]
mod process {
    use std::sync::LazyLock;

    use super::gates::{self, Gates};

    static GATES: LazyLock<Gates> = LazyLock::new(Gates::new);

    pub(crate) type Gate = gates::HeldGate<'static>;

    pub(super) fn of(address: usize) -> Gate {
        GATES.of(address)
    }

    pub(super) fn enter<R>(
        address: usize,
        upgrade: impl FnOnce() -> Option<R>,
    ) -> Option<(Gate, R)> {
        GATES.enter(address, upgrade)
    }

    pub(super) fn leave<R>(gate: Gate, reference: R) {
        GATES.leave(gate, reference);
    }
}

/// The counts of references are not known to loom: in models of the whole the gates are open. They have models of their own.
#[cfg(startstop_loom)]
mod process {
    pub(crate) struct OpenGate;

    pub(crate) type Gate = OpenGate;

    pub(super) fn of(_: usize) -> Gate {
        OpenGate
    }

    pub(super) fn enter<R>(_: usize, upgrade: impl FnOnce() -> Option<R>) -> Option<(Gate, R)> {
        Some((OpenGate, upgrade()?))
    }

    pub(super) fn leave<R>(_: Gate, reference: R) {
        drop(reference);
    }
}

pub(crate) use process::Gate;

/// A service that is larger than this in bytes is not moved, for it would be on the stack; it may be there for a moment longer.
pub(crate) const LARGE: usize = 16 * 1024;

fn of(node: &Arc<dyn Node>) -> Gate {
    process::of(Arc::as_ptr(node).cast::<()>().addr())
}

/// Returns the gate of a service that may be gone, and the service.
fn enter(node: &Weak<dyn Node>) -> Option<(Gate, Arc<dyn Node>)> {
    let address = Weak::as_ptr(node).cast::<()>().addr();
    process::enter(address, || node.upgrade())
}

/// Returns whether the last runner has passed the gate: for who is behind it.
pub(super) fn is_left(shared: &Shared) -> bool {
    shared.is_left.load(Ordering::Relaxed)
}

/// Lets go of a service behind its gate: what is to be dropped where user code may run.
fn let_go(_: &Gate, node: Arc<dyn Node>) -> Option<Box<dyn Any + Send>> {
    if is_left(node.shared()) {
        return node.let_go();
    }
    // A runner has a reference as well, and will pass this gate before it drops it.
    drop(node);
    None
}

/// Drops the last runner.
pub(crate) fn leave_for_good(node: Arc<dyn Node>) {
    let gate = of(&node);
    node.shared().is_left.store(true, Ordering::Relaxed);
    if node.shared().atomic_state.read().state() != State::Stopped {
        // Something of it has a reference; deadlines are to be looked at.
        drop(gate);
        drop(node);
        return;
    }
    // From here on nobody comes to another reference.
    node.leave(gate);
}

/// Drops the last runner of a service that has stopped, whose type is known here.
pub(crate) fn leave<N: Node>(gate: Gate, node: Arc<N>) {
    if const { size_of::<N>() > LARGE } {
        leave_in_place(gate, node);
        return;
    }
    // It is dropped where it is, with the gate released.
    let _last = Arc::into_inner(node);
    drop(gate);
}

fn leave_in_place(gate: Gate, node: Arc<dyn Node>) {
    process::leave(gate, node);
}

/// Comes to a runner again, if there is one or the service goes on without.
pub(crate) fn come_back(
    node: &Weak<dyn Node>,
    may: impl FnOnce(&Shared) -> bool,
) -> Option<Arc<dyn Node>> {
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
pub(crate) fn look<T>(
    node: &Weak<dyn Node>,
    look: impl FnOnce(&Shared, &mut Synced) -> T,
) -> Option<(T, Option<Box<dyn Any + Send>>)> {
    glance(node, |shared| look(shared, &mut shared.synced()))
}

/// The same without the lock.
pub(crate) fn glance<T>(
    node: &Weak<dyn Node>,
    glance: impl FnOnce(&Shared) -> T,
) -> Option<(T, Option<Box<dyn Any + Send>>)> {
    let (mut glance, mut seen) = (Some(glance), None);
    let last = glance_at(node, &mut |shared| {
        seen = glance.take().map(|glance| glance(shared));
    });
    Some((seen?, last))
}

/// All of it that does not depend on what is seen: compiled once.
fn glance_at(
    node: &Weak<dyn Node>,
    glance: &mut dyn FnMut(&Shared),
) -> Option<Box<dyn Any + Send>> {
    let (gate, node) = enter(node)?;
    glance(node.shared());
    let last = let_go(&gate, node);
    drop(gate);
    last
}

/// The remains of a service after a change that has let go of it.
struct Remains {
    name: Option<String>,
    /// The box that may hold the service.
    last: Option<Box<dyn Any + Send>>,
}

/// Lets go of the service, with what is spawned for it.
fn part(gate: Gate, node: Arc<dyn Node>, deferred: &mut Deferred) -> Remains {
    let name = deferred.has_news().then(|| node.shared().name().to_owned());
    if deferred.is_unresponsive() {
        drop(gate);
        deferred.tell_unresponsive(&node);
        let last = let_go(&of(&node), node);
        return Remains { name, last };
    }
    if !deferred.has_jobs() {
        let last = let_go(&gate, node);
        drop(gate);
        return Remains { name, last };
    }
    let weak = Arc::downgrade(&node);
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
    Remains { name, last }
}

/// The actions that are left after a change that has let go of the service.
pub(super) struct Parting {
    deferred: Deferred,
    remains: Remains,
}

impl Parting {
    /// All of it.
    #[inline]
    pub(super) fn run(mut self) {
        run(&mut self.deferred, self.remains);
        self.deferred.forget();
    }

    /// Carries out what cannot wait, and does not block unless a waker does.
    #[cfg(not(startstop_loom))]
    pub(super) fn run_urgent(&mut self) {
        self.deferred.run_urgent();
    }
}

fn run(deferred: &mut Deferred, remains: Remains) {
    let Remains { name, last } = remains;
    deferred.run_without(name.as_deref());
    drop(last);
}

/// The last change before the caller lets go of the service.
pub(crate) fn update_and_leave<T>(
    node: Arc<dyn Node>,
    change: impl FnOnce(&Shared, &mut Synced, &mut Deferred) -> T,
) -> T {
    update_or_leave(node, change, |_| true).0
}

/// A change of a service that may be gone, by who has no reference but for this change.
pub(crate) fn update_apart(
    node: &Weak<dyn Node>,
    change: impl FnOnce(&Shared, &mut Synced, &mut Deferred),
) {
    if let Some(parting) = change_apart(node, change) {
        parting.run();
    }
}

/// The same on the thread of the deadlines: what may be user code follows on the runtime of the service, or here if it has none.
#[cfg(not(startstop_loom))]
pub(crate) fn update_at_deadline(
    node: &Weak<dyn Node>,
    change: impl FnOnce(&Shared, &mut Synced, &mut Deferred),
) {
    let mut on = None;
    let parting = change_apart(node, |shared, synced, deferred| {
        change(shared, synced, deferred);
        on = synced.runtime();
    });
    let Some(mut parting) = parting else { return };
    parting.run_urgent();
    match on {
        Some(on) => spawn_boxed(&on, Box::pin(async move { parting.run() })),
        None => parting.run(),
    }
}

/// The same where nothing may block: what follows from the change is left to be carried out.
pub(super) fn change_apart(
    node: &Weak<dyn Node>,
    change: impl FnOnce(&Shared, &mut Synced, &mut Deferred),
) -> Option<Parting> {
    let mut change = Some(change);
    change_at(node, &mut |shared, synced, deferred| {
        if let Some(change) = change.take() {
            change(shared, synced, deferred);
        }
    })
}

/// A change of a service.
type Change<'a> = &'a mut dyn FnMut(&Shared, &mut Synced, &mut Deferred);

/// All of it that does not depend on the change: compiled once.
fn change_at(node: &Weak<dyn Node>, change: Change<'_>) -> Option<Parting> {
    let (gate, node) = enter(node)?;
    let mut deferred = Deferred::default();
    change(node.shared(), &mut node.shared().synced(), &mut deferred);
    let remains = part(gate, node, &mut deferred);
    Some(Parting { deferred, remains })
}

/// A change after which the caller lets go of the service, or keeps it.
pub(crate) fn update_or_leave<T>(
    node: Arc<dyn Node>,
    change: impl FnOnce(&Shared, &mut Synced, &mut Deferred) -> T,
    leaves: impl FnOnce(&T) -> bool,
) -> (T, Option<Arc<dyn Node>>) {
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
    let remains = part(gate, node, &mut deferred);
    run(&mut deferred, remains);
    deferred.forget();
    (result, None)
}
