//! A service that blocks its thread holds up nobody else, as long as a worker is free.

mod bursts;
mod groups;
mod unpolled;

use std::future::{Future, pending};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{
    Cause, Context, Exit, Readiness, Runner, Service, Settings, StartError, State, StopError,
    service_fn_with,
};

use tokio::sync::Notify;

use crate::support::{poll_once, settle, until, within};

type Gate = Mutex<Receiver<()>>;

/// A gate, and what opens it when it is dropped.
struct Latch {
    gate: Gate,
    opens: Mutex<Option<Sender<()>>>,
}

impl Latch {
    fn new() -> Self {
        let (opens, gate) = channel();
        Self {
            gate: Mutex::new(gate),
            opens: Mutex::new(Some(opens)),
        }
    }

    fn pass(&self) -> bool {
        pass(&self.gate)
    }

    fn open(&self) {
        drop(self.opens.lock().expect("no poison").take());
    }
}

/// Whether the gate was opened, by the drop of what opens it.
fn pass(gate: &Gate) -> bool {
    let opened = gate
        .lock()
        .expect("no poison")
        .recv_timeout(Duration::from_secs(15));
    opened == Err(RecvTimeoutError::Disconnected)
}

fn impatient() -> Settings {
    let soon = Duration::from_millis(20);
    Settings::new()
        .start_timeout(soon)
        .stop_timeout(soon)
        .abort_timeout(soon)
}

/// A service whose `run` blocks its thread until the gate opens, and tells when it does.
fn blocking(entered: Sender<()>, gate: Receiver<()>) -> impl Service {
    service_fn_with((entered, Mutex::new(gate)), |state, _| async move {
        let _ = state.0.send(());
        pass(&state.1);
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_start_that_blocks_its_thread_does_not_hold_up_its_timeout() {
    within(async {
        let ((entered, enters), (release, gate)) = (channel(), channel());
        let settings = impatient().readiness(Readiness::Explicit);
        let runner = Runner::with_settings(blocking(entered, gate), settings);
        let error = loop {
            let error = runner.start().await.expect_err("it is never ready");
            // On a busy machine the timeout may pass before `run` is polled.
            if enters.try_recv().is_ok() {
                break error;
            }
        };
        assert!(
            matches!(error, StartError::Unresponsive | StartError::TimedOut),
            "{error:?}"
        );
        assert_eq!(runner.state(), State::Stopping);
        drop(release);
        runner.wait_for(State::Stopped).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_deadline_is_kept_though_who_asked_for_it_blocks_its_thread() {
    within(async {
        let (release, gate) = channel::<()>();
        let entered = Arc::new(Notify::new());
        let deaf = service_fn_with(Arc::clone(&entered), |entered, _| async move {
            entered.notify_one();
            pending::<()>().await;
        });
        let runner = Runner::with_settings(deaf, impatient());
        runner.start().await.expect("ready at once");
        entered.notified().await;
        settle().await;
        let clone = runner.clone();
        let asks = tokio::spawn(async move {
            clone.request_stop();
            let _ = gate.recv();
        });
        until(|| runner.errors_last().is_some()).await;
        // The first, not the last: on a busy machine the verdict may have followed.
        assert_eq!(runner.errors_list()[0].cause(), Cause::TimedOut);
        drop(release);
        asks.await.expect("no panic");
        runner.wait_for(State::Stopped).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_deadline_is_kept_though_who_asks_while_run_is_polled_blocks_its_thread() {
    within(async {
        let ((release, gate), (goes_on, polled)) = (channel::<()>(), channel::<()>());
        let entered = Arc::new(Notify::new());
        let state = (Arc::clone(&entered), Mutex::new(polled));
        let deaf = service_fn_with(state, |state, _| async move {
            state.0.notify_one();
            pass(&state.1);
            pending::<()>().await;
        });
        let runner = Runner::with_settings(deaf, impatient());
        runner.start().await.expect("ready at once");
        entered.notified().await;
        let clone = runner.clone();
        let asks = tokio::spawn(async move {
            clone.request_stop();
            drop(goes_on);
            let _ = gate.recv();
        });
        runner.wait_for(State::Stopped).await;
        assert_eq!(runner.errors_list()[0].cause(), Cause::TimedOut);
        drop(release);
        asks.await.expect("no panic");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn shutdown_goes_on_while_run_blocks_its_thread() {
    within(async {
        let service = service_fn_with(Latch::new(), async |latch, cx: Context| {
            cx.cancelled().await;
            latch.pass();
        });
        let runner = Runner::new(service.on_shutdown(async |latch, _| {
            // The wakeup comes from another thread, since a task that only yields stays with its worker.
            tokio::task::spawn_blocking(|| ()).await.expect("no panic");
            latch.open();
        }));
        runner.start().await.expect("ready at once");
        settle().await;
        runner.stop().await.expect("shutdown lets run go");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_stop_that_is_polled_once_and_kept_has_its_deadline() {
    within(async {
        let ((entered, enters), (release, gate)) = (channel(), channel());
        let runner = Runner::with_settings(blocking(entered, gate), impatient());
        runner.start().await.expect("ready at once");
        until(|| enters.try_recv().is_ok()).await;
        let mut stop = Box::pin(runner.stop());
        assert!(poll_once(&mut stop).await.is_none());
        until(|| runner.errors_list().len() >= 2).await;
        assert!(matches!(stop.await, Err(StopError::Unresponsive(_))));
        drop(release);
        runner.wait_for(State::Stopped).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_stop_of_a_blocked_run_returns_at_its_deadline() {
    within(async {
        let ((entered, enters), (release, gate)) = (channel(), channel());
        let runner = Runner::with_settings(blocking(entered, gate), impatient());
        runner.start().await.expect("ready at once");
        until(|| enters.try_recv().is_ok()).await;
        let Err(StopError::Unresponsive(stuck)) = runner.stop().await else {
            panic!("it does not yield");
        };
        assert_eq!(stuck.parts(), [startstop_core::Phase::Run]);
        assert!(stuck.waited() >= Duration::from_millis(40));
        drop(release);
        runner.wait_for(State::Stopped).await;
    })
    .await;
}

/// Its `run` blocks before it has made its future; its `shutdown` opens the gate, if there is anything to open it with.
struct Eager {
    entered: Arc<Notify>,
    latch: Latch,
}

impl Service for Eager {
    type Error = &'static str;

    fn run(&self, _: Context) -> impl Future<Output = Result<(), &'static str>> + Send {
        self.entered.notify_one();
        std::future::ready(
            self.latch
                .pass()
                .then_some(())
                .ok_or("nobody has opened the gate"),
        )
    }

    async fn shutdown(&self, _: Context) -> Result<(), &'static str> {
        self.latch.open();
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_run_that_blocks_before_it_has_made_its_future_holds_up_no_deadline() {
    within(async {
        let ((release, gate), entered) = (channel(), Arc::new(Notify::new()));
        let latch = Latch {
            gate: Mutex::new(gate),
            opens: Mutex::default(),
        };
        let service = Eager {
            entered: Arc::clone(&entered),
            latch,
        };
        let runner = Runner::with_settings(service, impatient());
        runner.start().await.expect("ready at once");
        entered.notified().await;
        assert!(matches!(
            runner.stop().await,
            Err(StopError::Unresponsive(_))
        ));
        drop(release);
        runner.wait_for(State::Stopped).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_run_that_blocks_before_it_has_made_its_future_is_let_go_by_shutdown() {
    within(async {
        let entered = Arc::new(Notify::new());
        let runner = Runner::new(Eager {
            entered: Arc::clone(&entered),
            latch: Latch::new(),
        });
        runner.start().await.expect("ready at once");
        entered.notified().await;
        runner.stop().await.expect("shutdown opens the gate");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_run_that_asks_for_its_stop_and_blocks_is_let_go_by_shutdown() {
    within(async {
        let service = service_fn_with(Latch::new(), async |latch, cx: Context| {
            cx.request_stop();
            latch.pass();
        });
        let service = service.on_shutdown(async |latch, _| latch.open());
        // A watchdog, so that there is a deadline task already.
        let settings = Settings::new().watchdog(Duration::from_secs(1));
        let runner = Runner::with_settings(service, settings);
        runner.start().await.expect("ready at once");
        runner.wait_for(State::Stopped).await;
        assert!(
            runner.errors_list().is_empty(),
            "{:?}",
            runner.errors_list()
        );
    })
    .await;
}

/// Its `run` blocks its thread until `shutdown` lets it go.
fn let_go_by_shutdown() -> impl Service {
    let service = service_fn_with(Latch::new(), async |latch, _| {
        latch
            .pass()
            .then_some(())
            .ok_or("nobody has opened the gate")
    });
    service.on_shutdown(async |latch, _| latch.open())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_told_before_its_first_poll_and_blocks_there_is_let_go_by_shutdown() {
    // The watchdog's deadline task sleeps for long.
    let minute = Duration::from_secs(60);
    let watched = Settings::new().watchdog(minute).stop_timeout(2 * minute);
    for settings in [Settings::new(), watched] {
        within(async {
            let runner = Runner::with_settings(let_go_by_shutdown(), settings);
            let clone = runner.clone();
            let asks = tokio::spawn(async move {
                let running = clone.wait_for(State::Running);
                clone.request_start();
                // The attempt has been entered, and `run` has not been polled yet.
                running.await;
                clone.request_stop();
            });
            asks.await.expect("no panic");
            assert_eq!(
                runner.wait().await,
                Exit::Stopped,
                "{:?}",
                runner.errors_list()
            );
        })
        .await;
    }
}
