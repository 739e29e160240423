//! Work on threads and runtimes of its own.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::task::{Context as Task, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use super::alarm::PATIENCE;

/// Does the work, which may block its thread, and fails if it takes long.
#[track_caller]
pub(crate) fn watched<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = channel();
    let worker = thread::spawn(move || {
        let output = work();
        let _ = done.send(());
        output
    });
    assert!(
        ended.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout),
        "hangs"
    );
    match worker.join() {
        Ok(output) => output,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

pub(crate) fn many_threads() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

pub(crate) fn one_thread() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Does the work once on a runtime of each flavour.
#[track_caller]
pub(crate) fn on_each_flavour<F, W>(work: W)
where
    F: Future<Output = ()> + Send + 'static,
    W: Fn() -> F + Send + 'static,
{
    watched(move || {
        many_threads().block_on(async { tokio::spawn(work()).await.expect("no panic") });
        one_thread().block_on(work());
    });
}

/// Spins until it is so, on a thread without a runtime.
pub(crate) fn spin_until(mut is_so: impl FnMut() -> bool) {
    let mut turns = 0_u32;
    while !is_so() {
        thread::yield_now();
        turns += 1;
        if turns % 500 == 0 {
            // The thread that it waits for may need this processor.
            thread::park_timeout(Duration::from_micros(50));
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Awaits on a thread that has no runtime.
pub(crate) fn park_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut task = Task::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut task) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
