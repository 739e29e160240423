//! The requests that a task makes one after another, and the services that are to look at them.
//!
//! A service that a task wakes is what its worker polls next, and no other worker can take it from that place: a task that asks for
//! something and then blocks its thread would hold it up. Another task that is spawned after it pushes it out, which costs as much
//! as half of a start. So the first request of a burst wakes its service, and spawns the task of the burst, which wakes the services of
//! all that follow until it is polled. With the second it is pushed out itself.
//!
//! Invariants:
//!
//! 1. What is left to a burst is done by its task, also if that is dropped with its runtime.
//! 2. Only what is to be polled on the runtime of the burst is left to it: who blocks all of its workers holds up nobody else.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::runtime::{Handle, Id, RuntimeFlavor};
use tokio::task;

use super::{Job, Node};
use crate::report::panic::catch_panics;
use crate::sync::{Mutex, flush_lifo_slot, spawn_on};

/// Something that is to be polled.
pub(crate) enum Woken {
    Driver(Waker),
    /// It is still to be spawned.
    New(Arc<dyn Node>, Job),
}

impl Woken {
    fn pass_on(self) {
        match self {
            Self::Driver(waker) => waker.wake(),
            Self::New(node, job) => node.launch(job),
        }
    }
}

/// A list for the task of a burst, until that is polled.
pub(crate) struct Left<T>(Mutex<Option<Vec<T>>>);

impl<T> Left<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }

    fn is_open(&self) -> bool {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.is_some()
    }

    /// Hands it back if the task has been polled.
    pub(crate) fn add(&self, one: T) -> Result<(), T> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *left {
            Some(left) => {
                left.push(one);
                Ok(())
            }
            None => Err(one),
        }
    }

    /// Takes all of it; nothing more is added.
    pub(crate) fn take(&self) -> Vec<T> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.take().unwrap_or_default()
    }
}

/// The task of a burst.
struct BurstTask(Arc<Left<Woken>>);

impl Future for BurstTask {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.pass_on();
        Poll::Ready(())
    }
}

impl BurstTask {
    fn pass_on(&self) {
        catch_panics(self.0.take(), Woken::pass_on);
    }
}

impl Drop for BurstTask {
    fn drop(&mut self) {
        self.pass_on();
    }
}

/// The burst that this thread has begun last.
struct Burst {
    /// The task that asks.
    of: task::Id,
    on: Id,
    left: Arc<Left<Woken>>,
    /// Its task is where another worker can take it.
    is_pushed_out: bool,
}

thread_local! {
    static LAST: RefCell<Option<Burst>> = const { RefCell::new(None) };
    /// The last task that has asked for something on a runtime of one thread.
    static ALONE: Cell<Option<task::Id>> = const { Cell::new(None) };
    /// A request is being made whose services are left to the burst.
    static LEAVES: Cell<bool> = const { Cell::new(false) };
    /// Such a request has woken something by itself.
    static WAKES: Cell<bool> = const { Cell::new(false) };
}

/// Ends also with a panic of the request.
struct Leaving;

impl Leaving {
    fn begin() -> Self {
        WAKES.set(false);
        LEAVES.set(true);
        Self
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        LEAVES.set(false);
    }
}

/// Makes a request of a task, such that a service which looks at it is not held up if the task blocks its thread then.
pub(crate) fn ask<T>(request: impl FnOnce() -> T) -> T {
    let Some(task) = task::try_id().filter(|task| !LEAVES.get() && ALONE.get() != Some(*task))
    else {
        return request();
    };
    if !is_in_burst(task) {
        let reply = request();
        begin(task);
        return reply;
    }
    let leaving = Leaving::begin();
    let reply = request();
    drop(leaving);
    if WAKES.get() || !is_pushed_out() {
        pass_on_woken();
    }
    reply
}

fn is_in_burst(task: task::Id) -> bool {
    LAST.with_borrow(|last| {
        let burst = last.as_ref();
        burst.is_some_and(|burst| burst.of == task && burst.left.is_open())
    })
}

/// Begins a burst of a task, if its runtime has several threads.
fn begin(task: task::Id) {
    let Some(on) = of_several_threads() else {
        ALONE.set(Some(task));
        return;
    };
    let left = Arc::new(Left::new());
    let burst = Burst {
        of: task,
        on: on.id(),
        left: Arc::clone(&left),
        is_pushed_out: false,
    };
    LAST.set(Some(burst));
    drop(spawn_on(&on, BurstTask(left)));
}

/// Returns whether the task of the burst has been pushed out, which is what follows otherwise.
fn is_pushed_out() -> bool {
    LAST.with_borrow_mut(|last| {
        let burst = last.as_mut();
        burst.is_none_or(|burst| std::mem::replace(&mut burst.is_pushed_out, true))
    })
}

/// Lets another worker have the task that was woken last, such as the driver of a service or the task of a group: it is the one that
/// this worker polls next, which no other can take, and the task that has asked for something may go on to block this one.
pub(crate) fn pass_on_woken() {
    if task::try_id().is_none() {
        return;
    }
    if let Some(on) = of_several_threads() {
        flush_lifo_slot(&on);
    }
}

/// Returns the runtime that this thread is in, if that has several threads.
fn of_several_threads() -> Option<Handle> {
    let on = Handle::try_current().ok()?;
    (on.runtime_flavor() != RuntimeFlavor::CurrentThread).then_some(on)
}

/// Returns whether what is asked for on this thread is left to the burst, as far as that can be.
#[inline]
pub(super) fn is_asked_in() -> bool {
    LEAVES.get()
}

/// Returns whether the burst is on this runtime.
pub(super) fn is_on(on: Id) -> bool {
    LAST.with_borrow(|last| last.as_ref().is_some_and(|last| last.on == on))
}

/// Returns whether a job spawns a driver on the runtime of the burst.
pub(super) fn is_for(job: &Job) -> bool {
    matches!(job, Job::Driver(target) if is_on(target.on.id()))
}

/// Leaves something to the burst, or passes it on if its task has been polled.
pub(super) fn leave(woken: Woken) {
    let left = LAST.with_borrow(|last| last.as_ref().map(|last| Arc::clone(&last.left)));
    let late = match left {
        Some(left) => left.add(woken).err(),
        None => Some(woken),
    };
    if late.is_some() {
        wakes();
        catch_panics(late, Woken::pass_on);
    }
}

/// Something is woken or spawned that is not left to the burst.
#[inline]
pub(super) fn wakes() {
    WAKES.set(true);
}
