//! A census of attempts for the promises, the drops and the stress: how many, and whether two were ever alive at once.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use startstop_core::{Context, Runner, Service, Settings, service_fn, service_fn_with};

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
        assert_eq!(
            self.overlaps.load(Ordering::SeqCst),
            0,
            "two attempts at once"
        );
        assert_eq!(self.alive(), 0, "something is left running");
        assert_eq!(
            self.ends.load(Ordering::SeqCst),
            self.runs(),
            "as many ends as runs"
        );
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
    service_fn_with(
        Arc::clone(census),
        |census: Arc<Arc<Census>>, cx: Context| async move {
            let _alive = census.enter();
            cx.cancelled().await;
        },
    )
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
