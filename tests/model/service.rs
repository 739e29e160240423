//! A service that does what its scripts say.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use startstop_core::{BoxError, Context, Permanent, Phase, Service};
use tokio::time::{Instant, sleep, sleep_until};

use super::plan::millis;
use super::script::{Act, End, Leave, Script, Task};

/// The counts that a service keeps for the world.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// How often `run` was called.
    pub(super) runs: AtomicU64,
    /// How many futures of `run`, `shutdown` and tasks there are.
    pub(super) live: AtomicU64,
    /// How often a `run` began beside another.
    pub(super) overlaps: AtomicU64,
    /// How often `shutdown` was called.
    pub(super) shutdowns: AtomicU64,
    running: AtomicU64,
}

pub(super) struct Scripted {
    pub(super) seed: u64,
    pub(super) bombs: bool,
    pub(super) seen: Arc<Seen>,
}

/// The same service without a `shutdown`.
pub(super) struct Bare(pub(super) Scripted);

impl Service for Bare {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        self.0.run(cx).await
    }
}

impl Service for Scripted {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        let began = Instant::now();
        let script = self.script(self.seen.runs.fetch_add(1, Ordering::Relaxed));
        let _alone = Alone::enter(&self.seen);
        let Some(reload) = script.reload else {
            return self.act(&cx, &script, began).await;
        };
        tokio::select! {
            biased;
            end = self.act(&cx, &script, began) => end,
            never = answer_reloads(&cx, reload) => match never {},
        }
    }

    async fn shutdown(&self, _cx: Context) -> Result<(), BoxError> {
        self.seen.shutdowns.fetch_add(1, Ordering::Relaxed);
        let script = self.script(self.seen.runs.load(Ordering::Relaxed) - 1);
        let mut live = Live::new(&self.seen, script.bomb == Some(Phase::Shutdown));
        live.ends(leave(script.hook).await)
    }
}

/// Answers one reload request after the other.
async fn answer_reloads(cx: &Context, how: Leave) -> Infallible {
    loop {
        let reload = cx.reloaded().await;
        match leave(Some(how)).await {
            End::Ok => reload.done(),
            End::Fail => reload.failed("not reloaded"),
            End::Permanent | End::Panic => drop(reload),
        }
    }
}

impl Scripted {
    async fn act(&self, cx: &Context, script: &Script, began: Instant) -> Result<(), BoxError> {
        let mut live = Live::new(&self.seen, script.bomb == Some(Phase::Run));
        for (at, act) in &script.acts {
            let wait = sleep_until(began + millis(*at));
            if *at > 0 && !went(cx, script.leave, wait).await {
                return live.ends(leave(script.leave).await);
            }
            match act {
                Act::End(end) => return live.ends(*end),
                act => self.perform(act, cx),
            }
        }
        cx.cancelled().await;
        live.ends(leave(script.leave).await)
    }
}

/// Waits, unless it is to leave before; whether it has waited.
async fn went(cx: &Context, leave: Option<Leave>, wait: impl Future<Output = ()>) -> bool {
    match leave {
        Some(_) => cx.run_until_cancelled(wait).await.is_some(),
        None => {
            wait.await;
            true
        }
    }
}

/// Its end after it was told.
async fn leave(leave: Option<Leave>) -> End {
    let Some(leave) = leave else {
        return std::future::pending().await;
    };
    if leave.after > 0 {
        sleep(millis(leave.after)).await;
    }
    leave.end
}

impl Scripted {
    fn script(&self, run: u64) -> Script {
        Script::draw(self.seed, run, self.bombs)
    }

    fn perform(&self, act: &Act, cx: &Context) {
        match act {
            Act::Ready => cx.ready(),
            Act::NotReady => cx.not_ready("by chance"),
            Act::Report => cx.report("reported"),
            Act::Beat => cx.heartbeat(),
            Act::Spawn(task) => {
                let live = Live::new(&self.seen, task.bomb);
                cx.spawn(perform_task(*task, cx.clone(), live));
            }
            Act::RequestStop => cx.request_stop(),
            Act::RequestRestart => cx.request_restart(),
            Act::End(_) => {}
        }
    }
}

async fn perform_task(task: Task, cx: Context, mut live: Live) -> Result<(), BoxError> {
    let by_itself = leave(task.ends);
    match task.leave {
        None => live.ends(by_itself.await),
        Some(_) => match cx.run_until_cancelled(by_itself).await {
            Some(end) => live.ends(end),
            None => live.ends(leave(task.leave).await),
        },
    }
}

/// A `run` that has not ended.
struct Alone(Arc<Seen>);

impl Alone {
    fn enter(seen: &Arc<Seen>) -> Self {
        if seen.running.fetch_add(1, Ordering::Relaxed) > 0 {
            seen.overlaps.fetch_add(1, Ordering::Relaxed);
        }
        Self(Arc::clone(seen))
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A future that is alive; its drop may panic.
struct Live {
    seen: Arc<Seen>,
    bomb: bool,
}

impl Live {
    fn new(seen: &Arc<Seen>, bomb: bool) -> Self {
        seen.live.fetch_add(1, Ordering::Relaxed);
        Self {
            seen: Arc::clone(seen),
            bomb,
        }
    }

    /// It has ended by itself.
    fn ends(&mut self, end: End) -> Result<(), BoxError> {
        self.bomb = false;
        match end {
            End::Ok => Ok(()),
            End::Fail => Err("failed".into()),
            End::Permanent => Err(Permanent::new("failed for good").into()),
            End::Panic => panic_quietly(),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.seen.live.fetch_sub(1, Ordering::Relaxed);
        if self.bomb {
            panic_quietly();
        }
    }
}

/// A panic of which the hook learns nothing: there are many.
fn panic_quietly() -> ! {
    std::panic::resume_unwind(Box::new("by chance"))
}
