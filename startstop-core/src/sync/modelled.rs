//! The same for models: everything in which threads meet is known to loom.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::{Context as Task, Poll, Wake, Waker};

use tokio::runtime::Handle;

pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64};
pub(crate) use loom::sync::{Mutex, MutexGuard};

/// How a thread that polls a future waits, and how it is told to drop it.
struct ThreadWaker {
    rings: loom::sync::Notify,
    aborted: AtomicBool,
}

impl ThreadWaker {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            rings: loom::sync::Notify::new(),
            aborted: AtomicBool::new(false),
        })
    }

    /// Polls to the end, or until it is told to drop the future.
    fn drive<F: Future>(self: &Arc<Self>, future: F) -> Option<F::Output> {
        let waker = Waker::from(Arc::clone(self));
        let mut future = Box::pin(future);
        loop {
            if self.aborted.load(Ordering::SeqCst) {
                return None;
            }
            if let Poll::Ready(output) = future.as_mut().poll(&mut Task::from_waker(&waker)) {
                return Some(output);
            }
            self.rings.wait();
        }
    }
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.rings.notify();
    }
}

/// Awaits on a thread of a model.
#[cfg(test)]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    ThreadWaker::new().drive(future).expect("nobody aborts it")
}

/// No model asks for the end of the other tasks from within one.
pub(crate) fn is_own(_: &AbortHandle) -> bool {
    false
}

/// A task, as a thread of the model, wherever it is to run.
pub(crate) fn spawn_on<F>(_: &Handle, future: F) -> AbortHandle
where
    F: Future<Output = ()> + 'static,
{
    let waker = ThreadWaker::new();
    let task = AbortHandle(Arc::clone(&waker));
    loom::thread::spawn(move || waker.drive(future));
    task
}

/// The runtime of a model does not end.
pub(crate) fn has_ended(_: &Handle) -> bool {
    false
}

/// Time stands still in a model: nobody looks at a clock.
pub(crate) fn look_soon<N: ?Sized>(_: &std::sync::Weak<N>) -> bool {
    true
}

/// An entry of a deadline, at which nobody looks.
pub(crate) struct QueueEntry;

impl QueueEntry {
    pub(crate) fn new<N: ?Sized>(_: std::sync::Weak<N>, _: u32, _: u64) -> Option<Self> {
        None
    }
}

/// An entry of a timer, at which nobody looks.
pub(crate) struct Nudge;

impl Nudge {
    pub(crate) fn new(_: Handle, _: u64) -> Option<Self> {
        None
    }
}

/// That of a model has some.
pub(crate) fn has_timers(_: &Handle) -> bool {
    true
}

/// Each task of a model has a thread of its own.
pub(crate) fn flush_lifo_slot(_: &Handle) {}

/// Aborts a task of the model.
pub(crate) struct AbortHandle(Arc<ThreadWaker>);

impl AbortHandle {
    pub(crate) fn abort(&self) {
        self.0.aborted.store(true, Ordering::SeqCst);
        self.0.rings.notify();
    }
}

impl std::fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AbortHandle")
    }
}

/// A token that does the worst that one may do: it calls its wakers with its lock held.
#[derive(Debug, Clone, Default)]
pub struct CancellationToken {
    shared: Arc<Mutex<TokenListeners>>,
}

#[derive(Debug, Default)]
struct TokenListeners {
    cancelled: bool,
    wakers: Vec<Waker>,
}

impl CancellationToken {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn listeners(&self) -> MutexGuard<'_, TokenListeners> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn cancel(&self) {
        let mut listeners = self.listeners();
        listeners.cancelled = true;
        for waker in std::mem::take(&mut listeners.wakers) {
            waker.wake();
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.listeners().cancelled
    }

    pub(crate) fn cancelled(&self) -> WaitForCancellationFutureOwned {
        self.clone().cancelled_owned()
    }

    /// No model looks at a difference between the two.
    pub(crate) fn child_token(&self) -> Self {
        self.clone()
    }

    pub(crate) fn cancelled_owned(self) -> WaitForCancellationFutureOwned {
        WaitForCancellationFutureOwned(self)
    }
}

/// Waits for the token.
pub(crate) struct WaitForCancellationFutureOwned(CancellationToken);

impl Future for WaitForCancellationFutureOwned {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        let mut listeners = self.0.listeners();
        if listeners.cancelled {
            return Poll::Ready(());
        }
        listeners.wakers.push(task.waker().clone());
        Poll::Pending
    }
}

/// Wakes all who wait, and all who have said that they will.
#[derive(Debug, Default)]
pub(crate) struct Notify {
    shared: Mutex<Notified>,
}

#[derive(Debug, Default)]
struct Notified {
    times: usize,
    wakers: Vec<Waker>,
}

impl Notify {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn shared(&self) -> MutexGuard<'_, Notified> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn notify_waiters(&self) {
        let mut notified = self.shared();
        notified.times += 1;
        let wakers = std::mem::take(&mut notified.wakers);
        drop(notified);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn notified(&self) -> impl Future<Output = ()> {
        let before = self.shared().times;
        poll_fn(move |task| {
            let mut notified = self.shared();
            if notified.times > before {
                return Poll::Ready(());
            }
            notified.wakers.push(task.waker().clone());
            Poll::Pending
        })
    }
}
