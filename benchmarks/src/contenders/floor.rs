//! The floor: a task, a token, and a wait for both ends, as one writes it by hand.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Refused;
use crate::contender::{Can, Contender};
use crate::crowd::{Crowd, Watch};
use crate::gate::Gate;
use crate::read;

pub(crate) const FLOOR: Contender = Contender {
    name: "bare tokio",
    how: "`tokio::spawn`, a `CancellationToken`, the `JoinHandle`; a `Notify` where a single body is \
          waited for; a flag for the state; a loop that spawns and joins for what fails; it has no hook and no \
          restart: there its start and stop are measured once more",
    cycle: Can::Do(|n| Box::pin(cycle(n))),
    hooked: Can::Do(|n| Box::pin(cycle(n))),
    ready: Can::Do(|n| Box::pin(cycle(n))),
    restart: Can::Do(|n| Box::pin(cycle(n))),
    failing: Can::Do(|n| Box::pin(failing(n))),
    running: Can::Do(|threads, n| Box::pin(async move { running(threads, n) })),
    uptime: Can::Do(|threads, n| Box::pin(async move { read::timed(threads, n, Instant::now) })),
    crowd: Can::Do(|n| Box::pin(crowd(n))),
    chain: Can::Do(|n| Box::pin(chain(n))),
    star: Can::Do(|n| Box::pin(star(n))),
};

/// A bare task that runs until it is cancelled.
pub(super) struct Bare {
    pub(super) token: CancellationToken,
    pub(super) task: JoinHandle<()>,
}

impl Bare {
    /// Spawns it and waits until its body is entered.
    pub(super) async fn start() -> Self {
        let token = CancellationToken::new();
        let cancelled = token.clone();
        let entered = Arc::new(Notify::new());
        let enters = Arc::clone(&entered);
        let task = tokio::spawn(async move {
            enters.notify_one();
            cancelled.cancelled().await;
        });
        entered.notified().await;
        Self { token, task }
    }

    /// Spawns it and does not wait.
    pub(super) fn spawn(gate: &Arc<Gate>) -> Self {
        let token = CancellationToken::new();
        let cancelled = token.clone();
        let gate = Arc::clone(gate);
        let task = tokio::spawn(async move {
            gate.enter();
            cancelled.cancelled().await;
        });
        Self { token, task }
    }

    async fn stop(self) {
        self.token.cancel();
        self.task.await.expect("the task does not panic");
    }
}

async fn cycle(n: u32) -> Duration {
    let began = Instant::now();
    for _ in 0..n {
        Bare::start().await.stop().await;
    }
    began.elapsed()
}

async fn failing(n: u32) -> Duration {
    let began = Instant::now();
    let mut last: Option<Box<dyn Error + Send + Sync>> = None;
    for attempt in 0..n {
        let task = tokio::spawn(async move { Err::<(), _>(Refused(attempt.into()).into()) });
        last = task.await.expect("the task does not panic").err();
    }
    black_box(last);
    began.elapsed()
}

fn running(threads: usize, n: u32) -> Duration {
    let flag = Arc::new(AtomicBool::new(true));
    read::timed(threads, n, || flag.load(Ordering::Relaxed))
}

async fn crowd(n: usize) -> Crowd {
    let gate = Gate::new(n);
    let mut all = Vec::with_capacity(n);
    let watch = Watch::begin();
    all.extend((0..n).map(|_| Bare::spawn(&gate)));
    gate.opened().await;
    let present = watch.started();
    stop_all(all).await;
    present.stopped()
}

async fn chain(n: usize) -> Crowd {
    let watch = Watch::begin();
    let mut all = Vec::with_capacity(n);
    for _ in 0..n {
        all.push(Bare::start().await);
    }
    let present = watch.started();
    while let Some(last) = all.pop() {
        last.stop().await;
    }
    present.stopped()
}

async fn star(n: usize) -> Crowd {
    let gate = Gate::new(n - 1);
    let watch = Watch::begin();
    let hub = Bare::start().await;
    let others = (1..n).map(|_| Bare::spawn(&gate)).collect();
    gate.opened().await;
    let present = watch.started();
    stop_all(others).await;
    hub.stop().await;
    present.stopped()
}

async fn stop_all(all: Vec<Bare>) {
    for bare in &all {
        bare.token.cancel();
    }
    for bare in all {
        bare.task.await.expect("the task does not panic");
    }
}
