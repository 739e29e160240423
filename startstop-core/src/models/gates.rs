//! A look at a service against the drop of its last runner: the drop takes the value, and the look finds it gone. The
//! references are counted here, since loom does not know the counts of an `Arc`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::thread;

use super::model;
use crate::engine::gate::gates::{Gates, HeldGate};
use crate::sync::{AtomicBool, AtomicU32};

const ADDRESS: usize = 64;

/// A value with counted references.
struct Value {
    references: AtomicU32,
    /// Whether the last runner has passed the gate: behind it.
    is_left: AtomicBool,
    is_gone: AtomicBool,
}

struct Reference(Option<Arc<Value>>);

/// The value, taken out of its last reference.
struct Last(Arc<Value>);

impl Value {
    /// With one reference, that of the runner.
    fn new() -> (Arc<Self>, Reference) {
        let value = Arc::new(Self {
            references: AtomicU32::new(1),
            is_left: AtomicBool::new(false),
            is_gone: AtomicBool::new(false),
        });
        (Arc::clone(&value), Reference(Some(value)))
    }

    fn upgrade(self: &Arc<Self>) -> Option<Reference> {
        let one_more = |count: u32| (count > 0).then_some(count + 1);
        let counted = self
            .references
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more);
        counted.ok().map(|_| Reference(Some(Arc::clone(self))))
    }

    /// Counts a reference that is dropped: whether it was the last.
    fn one_fewer(&self) -> bool {
        self.references.fetch_sub(1, Ordering::SeqCst) == 1
    }

    fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::SeqCst)
    }
}

impl Reference {
    /// The value, if this is the last reference: as `Arc::into_inner` does it.
    fn into_inner(mut self) -> Option<Last> {
        self.0.take().filter(|value| value.one_fewer()).map(Last)
    }

    fn value(&self) -> Arc<Value> {
        self.0.clone().expect("it is there until it is dropped")
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        drop(self.0.take().filter(|value| value.one_fewer()).map(Last));
    }
}

impl Drop for Last {
    fn drop(&mut self) {
        self.0.is_gone.store(true, Ordering::SeqCst);
    }
}

/// Lets go of a reference behind its gate.
fn let_go(_: &HeldGate<'_>, reference: Reference) -> Option<Last> {
    let value = reference.value();
    let last = if value.is_left.load(Ordering::Relaxed) {
        reference.into_inner()
    } else {
        drop(reference);
        None
    };
    assert!(!value.is_gone(), "no destructor runs behind a gate");
    last
}

/// Drops the last runner of a value that has stopped.
fn leave_for_good(gates: &Gates, runner: Reference) {
    let gate = gates.of(ADDRESS);
    runner.value().is_left.store(true, Ordering::Relaxed);
    let last = runner.into_inner();
    drop(gate);
    drop(last);
}

/// Looks at the value, and lets go of it behind its gate; says whether it was there.
fn look(gates: &Gates, value: &Arc<Value>) -> bool {
    let Some((gate, reference)) = gates.enter(ADDRESS, || value.upgrade()) else {
        return false;
    };
    drop(reference);
    assert!(
        !value.is_gone(),
        "the destructor is for who drops the runner"
    );
    drop(gate);
    true
}

#[test]
fn who_drops_the_last_runner_finds_the_value_gone() {
    model(None, || {
        let (gates, (value, runner)) = (Arc::new(Gates::new()), Value::new());
        let lookers = [(); 2].map(|()| {
            let (gates, value) = (Arc::clone(&gates), Arc::clone(&value));
            thread::spawn(move || look(&gates, &value))
        });
        let gate = gates.of(ADDRESS);
        gates.leave(gate, runner);
        assert!(value.is_gone());
        for looker in lookers {
            looker.join().unwrap();
        }
    });
}

#[test]
fn another_service_of_the_same_address_is_let_in() {
    model(None, || {
        let (gates, (value, runner)) = (Arc::new(Gates::new()), Value::new());
        let (others, old) = (Arc::clone(&gates), Arc::clone(&value));
        let looker = thread::spawn(move || look(&others, &old));
        gates.leave(gates.of(ADDRESS), runner);
        looker.join().unwrap();
        let (next, _runner) = Value::new();
        assert!(look(&gates, &next));
    });
}

/// Models a detached service: its driver has a reference, and somebody who comes back has a runner again.
#[test]
fn who_comes_back_and_leaves_finds_the_value_gone_whoever_lets_go_meanwhile() {
    model(Some(3), || {
        let (gates, (value, drives)) = (Arc::new(Gates::new()), Value::new());
        value.is_left.store(true, Ordering::Relaxed);
        let driver = {
            let gates = Arc::clone(&gates);
            thread::spawn(move || {
                let gate = gates.of(ADDRESS);
                let last = let_go(&gate, drives);
                drop(gate);
                drop(last);
            })
        };
        let looker = {
            let (gates, value) = (Arc::clone(&gates), Arc::clone(&value));
            thread::spawn(move || {
                let (gate, reference) = gates.enter(ADDRESS, || value.upgrade())?;
                let last = let_go(&gate, reference);
                drop(gate);
                last
            })
        };
        let back = gates.enter(ADDRESS, || value.upgrade());
        let runner = back.map(|(gate, runner)| {
            value.is_left.store(false, Ordering::Relaxed);
            drop(gate);
            runner
        });
        driver.join().unwrap();
        if let Some(runner) = runner {
            leave_for_good(&gates, runner);
            assert!(value.is_gone());
        }
        drop(looker.join().unwrap());
        assert!(value.is_gone());
    });
}
