//! A service that blocks where it is told to, brought to a deadline on a runtime of its own.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use startstop_core::{
    BoxError, Context, EventKind, Events, Readiness, RestartPolicy, Runner, Service, Settings,
    Slot, State, Status,
};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::table::{Blocks, Due, On, Then};
use crate::support::{Latch, park_on};

/// The timeouts of the service; what blocks does so for far longer.
const SOON: Duration = Duration::from_millis(60);

const TICK: Duration = Duration::from_millis(5);

/// An event later than this was held up. It is far later than any deadline, since the machine may be busy.
const LIMIT: Duration = Duration::from_secs(15);

struct Blocker {
    blocks: Blocks,
    due: Due,
    latch: Arc<Blocking>,
    slot: Slot<BlocksInDrop>,
    /// Tells when it is as far as it gets, but for what the deadline brings.
    is_there: Arc<Notify>,
    runs: Arc<AtomicU32>,
}

/// A block of a thread, and whether it has begun.
#[derive(Default)]
struct Blocking {
    latch: Latch,
    blocked: AtomicBool,
}

impl Blocking {
    fn block(&self) {
        self.blocked.store(true, Ordering::SeqCst);
        self.latch.block();
    }
}

struct BlocksInDrop(Arc<Blocking>);

impl Drop for BlocksInDrop {
    fn drop(&mut self) {
        self.0.block();
    }
}

impl Blocker {
    fn blocks_in_drop(&self, blocks: Blocks) -> Option<BlocksInDrop> {
        (self.blocks == blocks).then(|| BlocksInDrop(Arc::clone(&self.latch)))
    }

    fn block(&self, blocks: Blocks) {
        if self.blocks == blocks {
            self.is_there.notify_one();
            self.latch.block();
        }
    }

    /// The work of the service beside `run`.
    fn begin(&self, cx: &Context) {
        let (latch, is_there) = (Arc::clone(&self.latch), Arc::clone(&self.is_there));
        match self.blocks {
            Blocks::Task => cx.spawn(async move {
                sleep(TICK).await;
                is_there.notify_one();
                latch.block();
            }),
            Blocks::DropOfTask => {
                let blocks = BlocksInDrop(latch);
                cx.spawn(async move {
                    let _blocks = blocks;
                    is_there.notify_one();
                    pending::<()>().await;
                });
            }
            Blocks::DropOfValue => self.slot.fill(cx, BlocksInDrop(latch)),
            _ => {}
        }
    }
}

impl Service for Blocker {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        let _blocks = self.blocks_in_drop(Blocks::DropOfRun);
        self.block(Blocks::FirstPoll);
        if self.due != Due::Start {
            cx.ready();
        }
        self.begin(&cx);
        sleep(TICK).await;
        self.block(Blocks::LaterPoll);
        if self.blocks == Blocks::Predicate && !matches!(self.due, Due::Start | Due::Watchdog) {
            return Err("broken".into());
        }
        if self.blocks != Blocks::Task {
            self.is_there.notify_one();
        }
        match self.blocks {
            Blocks::DropOfRun | Blocks::DropOfTask | Blocks::Children => pending().await,
            _ if matches!(self.due, Due::Start | Due::Watchdog) => pending().await,
            _ => cx.cancelled().await,
        }
        Ok(())
    }

    async fn shutdown(&self, _: Context) -> Result<(), BoxError> {
        self.block(Blocks::Shutdown);
        Ok(())
    }

    fn children(&self) -> Vec<Status> {
        self.block(Blocks::Children);
        Vec::new()
    }
}

/// The outcome. On a busy machine the deadline may pass before anything blocks: then it is played again.
pub(super) fn play(blocks: Blocks, due: Due, on: On) -> Then {
    loop {
        let (seen, was_blocked) = play_once(blocks, due, on);
        if was_blocked {
            return seen;
        }
    }
}

fn play_once(blocks: Blocks, due: Due, on: On) -> (Then, bool) {
    let (latch, is_there, runs) = <(Arc<Blocking>, Arc<Notify>, Arc<AtomicU32>)>::default();
    let service = Blocker {
        blocks,
        due,
        latch: Arc::clone(&latch),
        slot: Slot::new(),
        is_there: Arc::clone(&is_there),
        runs: Arc::clone(&runs),
    };
    let runner = Runner::with_settings(service, settings(blocks, due, &latch, &is_there));
    let place = Place::new(on);
    let events = runner.events();
    let begin = Instant::now();
    place.enter(|| runner.request_start());
    if due != Due::Start {
        park_on(is_there.notified());
    }
    if blocks == Blocks::Children {
        ask_for_children(&place, &runner, &is_there);
    }
    // The verdict does not end that task, so it blocks in any case, maybe too late.
    let is_late = due == Due::Watchdog && blocks == Blocks::Children && begin.elapsed() >= SOON;
    match due {
        Due::Start | Due::Watchdog => {}
        Due::Drain | Due::Stop => runner.request_stop(),
        Due::Abort => drop(poll_once(runner.stop_within(Duration::ZERO))),
    }
    let seen = place.in_time(first_of(events));
    let was_blocked = latch.blocked.load(Ordering::SeqCst);
    latch.latch.release();
    place.in_time({
        let runner = runner.clone();
        async move { runner.wait_for(State::Stopped).await }
    });
    assert_eq!(
        runs.load(Ordering::SeqCst),
        1,
        "no attempt follows one that is given up"
    );
    (seen, was_blocked && !is_late)
}

fn settings(blocks: Blocks, due: Due, latch: &Arc<Blocking>, is_there: &Arc<Notify>) -> Settings {
    let settings = Settings::new()
        .readiness(Readiness::Explicit)
        .start_timeout(SOON);
    let settings = settings
        .stop_timeout(SOON)
        .abort_timeout(SOON)
        .shutdown_always(true);
    let settings = match due {
        Due::Drain => settings.drain(SOON / 2),
        Due::Watchdog => settings.watchdog(SOON),
        _ => settings,
    };
    if blocks != Blocks::Predicate {
        return settings;
    }
    let (latch, is_there) = (Arc::clone(latch), Arc::clone(is_there));
    settings.restart(RestartPolicy::on_failure().retry_if(move |_| {
        is_there.notify_one();
        latch.block();
        true
    }))
}

/// Lets a task of the runtime ask for the parts of the service, which blocks.
fn ask_for_children(place: &Place, runner: &Runner<Blocker>, is_there: &Notify) {
    let runner = runner.clone();
    place.enter(|| {
        tokio::spawn(async move {
            sleep(TICK).await;
            runner.status();
        });
    });
    park_on(is_there.notified());
}

/// The first of two: the verdict, or the end.
async fn first_of(mut events: Events) -> Then {
    while let Some(event) = events.next().await {
        match event.kind() {
            EventKind::Unresponsive(_) => return Then::GivenUp,
            EventKind::Stopped { .. } => return Then::Ended,
            _ => {}
        }
    }
    unreachable!("the runner is there")
}

/// Makes a request, whose outcome nobody awaits.
fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut task) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

/// A runtime that is driven as long as the process lasts, since what blocks it may do so for as long.
struct Place(Arc<Runtime>);

impl Place {
    fn new(on: On) -> Self {
        let runtime = match on {
            On::TwoWorkers => Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build(),
            On::FourWorkers => Builder::new_multi_thread()
                .worker_threads(4)
                .enable_all()
                .build(),
            On::OneWorker => Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build(),
            On::CurrentThread => Builder::new_current_thread().enable_all().build(),
        };
        let runtime = Arc::new(runtime.expect("a runtime"));
        if on == On::FourWorkers {
            for _ in 0..3 {
                runtime.spawn(async {
                    loop {
                        sleep(TICK / 5).await;
                    }
                });
            }
        }
        if on == On::CurrentThread {
            let driven = Arc::downgrade(&runtime);
            thread::spawn(move || {
                while let Some(runtime) = driven.upgrade() {
                    runtime.block_on(async { sleep(TICK).await });
                }
            });
        }
        Self(runtime)
    }

    fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = self.0.enter();
        work()
    }

    /// Awaits on a runtime of its own; fails if it is held up.
    #[allow(clippy::unused_self)] // A method, as all the others are.
    fn in_time<T>(&self, work: impl Future<Output = T>) -> T {
        let own = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        own.block_on(async { tokio::time::timeout(LIMIT, work).await })
            .expect("it was held up")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(runtime) = Arc::get_mut(&mut self.0) {
            let empty = Builder::new_current_thread().build().expect("a runtime");
            std::mem::replace(runtime, empty).shutdown_background();
        }
    }
}
