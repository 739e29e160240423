//! What the promises, the drops and the stress have in common: a census of attempts, a watchdog, ways to poll.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::task::{Context as Task, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use startstop_core::{Context, Runner, Service, Settings, service_fn, service_fn_with};
use tokio::runtime::{Builder, Runtime};

const PATIENCE: Duration = Duration::from_secs(120);

/// Counts attempts as they begin and end, and whether two were ever alive at once.
#[derive(Debug, Default)]
pub(crate) struct Census {
    alive: AtomicUsize,
    runs: AtomicUsize,
    ends: AtomicUsize,
    overlaps: AtomicUsize,
}

/// An attempt that is alive.
#[derive(Debug)]
pub(crate) struct Alive(Arc<Census>);

impl Census {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn enter(self: &Arc<Self>) -> Alive {
        self.runs.fetch_add(1, Ordering::SeqCst);
        if self.alive.fetch_add(1, Ordering::SeqCst) > 0 {
            self.overlaps.fetch_add(1, Ordering::SeqCst);
        }
        Alive(Arc::clone(self))
    }

    pub(crate) fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }

    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    /// Nothing runs, everything that began has ended, and never were there two at once.
    #[track_caller]
    pub(crate) fn assert_settled(&self) {
        assert_eq!(self.overlaps.load(Ordering::SeqCst), 0, "two attempts at once");
        assert_eq!(self.alive(), 0, "something is left running");
        assert_eq!(self.ends.load(Ordering::SeqCst), self.runs(), "as many ends as runs");
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
        self.0.ends.fetch_add(1, Ordering::SeqCst);
    }
}

/// A service that runs until it is cancelled.
pub(crate) fn obedient(census: &Arc<Census>) -> impl Service + use<> {
    service_fn_with(Arc::clone(census), |census: Arc<Arc<Census>>, cx: Context| async move {
        let _alive = census.enter();
        cx.cancelled().await;
    })
}

/// A service that never ends by itself and does not look at its context.
pub(crate) fn deaf() -> impl Service {
    service_fn(|_| std::future::pending::<()>())
}

/// A service that fails at once with this text.
pub(crate) fn failing(text: &'static str) -> impl Service {
    service_fn(move |_| async move { Err::<(), _>(text) })
}

pub(crate) fn short() -> Settings {
    Settings::new()
        .start_timeout(Duration::from_millis(50))
        .stop_timeout(Duration::from_millis(20))
        .abort_timeout(Duration::from_secs(20))
}

/// A full cycle works: whatever went before has broken nothing.
pub(crate) async fn full_cycle<S: Service>(runner: &Runner<S>) {
    let _ = runner.stop().await;
    assert_eq!(runner.state(), startstop_core::State::Stopped);
    runner.start().await.expect("it starts again");
    assert!(runner.is_running());
    runner.stop().await.expect("it stops again");
    assert_eq!(runner.state(), startstop_core::State::Stopped);
}

/// Fails the test if the work takes longer than a minute of real time, also under paused time.
pub(crate) async fn within<F: Future>(work: F) -> F::Output {
    let (alarm, rang) = tokio::sync::oneshot::channel::<()>();
    let (armed, disarmed) = channel::<()>();
    let name = thread::current().name().unwrap_or("unnamed").to_owned();
    thread::spawn(move || {
        if disarmed.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        let _ = alarm.send(());
        // The thread that would hear the alarm may itself be what is blocked.
        if disarmed.recv_timeout(PATIENCE / 4) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{name} hangs, and so does its thread");
            std::process::abort();
        }
    });
    let output = tokio::select! {
        biased;
        output = work => output,
        _ = rang => panic!("hangs"),
    };
    drop(armed);
    output
}

/// The same for work that may block its thread.
#[track_caller]
pub(crate) fn watched<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = channel();
    let worker = thread::spawn(move || {
        let output = work();
        let _ = done.send(());
        output
    });
    assert!(ended.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout), "hangs");
    match worker.join() {
        Ok(output) => output,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

pub(crate) fn many_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

pub(crate) fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
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

/// Yields until it is so.
pub(crate) async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

/// Yields a few times, so that whatever can go on goes on.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// Spins until it is so, on a thread without a runtime.
pub(crate) fn spin_until(mut is_so: impl FnMut() -> bool) {
    let mut turns = 0_u32;
    while !is_so() {
        thread::yield_now();
        turns += 1;
        if turns % 500 == 0 {
            // Whom it waits for may need this very processor.
            thread::park_timeout(Duration::from_micros(50));
        }
    }
}

/// Polls the future so many times, lets the runtime go on between two polls, and drops it then.
pub(crate) async fn poll_up_to<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        if let Some(output) = poll_once(future.as_mut()).await {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Polls once.
pub(crate) async fn poll_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    poll_fn(|cx| {
        Poll::Ready(match std::pin::Pin::new(&mut future).poll(cx) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
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

/// Panics when it is dropped, unless the thread panics already.
pub(crate) struct PanicsInDrop(pub(crate) &'static str);

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        if !thread::panicking() {
            std::panic::panic_any(self.0);
        }
    }
}

impl fmt::Debug for PanicsInDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PanicsInDrop")
    }
}
