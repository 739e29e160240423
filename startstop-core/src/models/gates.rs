//! A look at a service against the drop of its last runner: the drop takes the value, and the look finds it gone. The
//! references are counted here, since loom does not know the counts of an `Arc`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use loom::thread;

use super::model;
use crate::engine::gate::gates::Gates;
use crate::sync::{AtomicBool, AtomicU32};

const ADDRESS: usize = 64;

/// A value with counted references.
struct Value {
    references: AtomicU32,
    is_gone: AtomicBool,
}

struct Reference(Arc<Value>);

impl Value {
    /// With one reference, that of the runner.
    fn new() -> (Arc<Self>, Reference) {
        let value = Arc::new(Self {
            references: AtomicU32::new(1),
            is_gone: AtomicBool::new(false),
        });
        (Arc::clone(&value), Reference(value))
    }

    fn upgrade(self: &Arc<Self>) -> Option<Reference> {
        let one_more = |count: u32| (count > 0).then_some(count + 1);
        let counted = self
            .references
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more);
        counted.ok().map(|_| Reference(Arc::clone(self)))
    }

    fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::SeqCst)
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        if self.0.references.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.is_gone.store(true, Ordering::SeqCst);
        }
    }
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
