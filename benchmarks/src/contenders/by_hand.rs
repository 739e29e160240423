//! The same with what one adds by hand before it goes into production: a stop has a deadline, a hook that is called
//! in it, and failures are kept with their times.

use std::collections::VecDeque;
use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::time::timeout;

use super::floor::Bare;
use super::{FLOOR, Refused};
use crate::contender::{Can, Contender};
use crate::crowd::{Crowd, Watch};
use crate::gate::Gate;

pub(crate) const BY_HAND: Contender = Contender {
    name: "by hand",
    how: "as bare tokio, and each join within a deadline of 5 s, by `tokio::time::timeout`; the hook is awaited in \
          it, between the cancellation and the join; a loop that keeps the last 64 errors and their times",
    cycle: Can::Do(|n| Box::pin(cycle(n))),
    hooked: Can::Do(|n| Box::pin(hooked(n, tokio::task::yield_now))),
    ready: Can::Do(|n| Box::pin(hooked(n, || std::future::ready(())))),
    restart: Can::Do(|n| Box::pin(cycle(n))),
    failing: Can::Do(|n| Box::pin(failing(n))),
    crowd: Can::Do(|n| Box::pin(crowd(n))),
    chain: Can::Do(|n| Box::pin(chain(n))),
    star: Can::Do(|n| Box::pin(star(n))),
    ..FLOOR
};

/// How long a stop may take.
const WITHIN: Duration = Duration::from_secs(5);

/// How many errors are kept.
const KEPT: usize = 64;

type Failure = (SystemTime, Box<dyn Error + Send + Sync>);

/// A bare task, and a stop of it that has a deadline.
struct Task(Bare);

impl Task {
    async fn start() -> Self {
        Self(Bare::start().await)
    }

    fn spawn(gate: &Arc<Gate>) -> Self {
        Self(Bare::spawn(gate))
    }

    async fn stop(self) {
        self.stop_with(|| std::future::ready(())).await;
    }

    async fn stop_with<F: Future<Output = ()>>(mut self, hook: impl FnOnce() -> F) {
        let Self(bare) = &mut self;
        bare.token.cancel();
        let ends = async {
            hook().await;
            (&mut bare.task).await.expect("the task does not panic");
        };
        if timeout(WITHIN, ends).await.is_err() {
            bare.task.abort();
        }
    }
}

async fn cycle(n: u32) -> Duration {
    let began = Instant::now();
    for _ in 0..n {
        Task::start().await.stop().await;
    }
    began.elapsed()
}

async fn hooked<F: Future<Output = ()>>(n: u32, hook: fn() -> F) -> Duration {
    let began = Instant::now();
    for _ in 0..n {
        Task::start().await.stop_with(hook).await;
    }
    began.elapsed()
}

async fn failing(n: u32) -> Duration {
    let began = Instant::now();
    let mut kept: VecDeque<Failure> = VecDeque::with_capacity(KEPT);
    for attempt in 0..n {
        let task = tokio::spawn(async move { Err::<(), _>(Refused(attempt.into()).into()) });
        if let Err(error) = task.await.expect("the task does not panic") {
            if kept.len() == KEPT {
                kept.pop_front();
            }
            kept.push_back((SystemTime::now(), error));
        }
    }
    black_box(kept);
    began.elapsed()
}

async fn crowd(n: usize) -> Crowd {
    let gate = Gate::new(n);
    let mut all = Vec::with_capacity(n);
    let watch = Watch::begin();
    all.extend((0..n).map(|_| Task::spawn(&gate)));
    gate.opened().await;
    let present = watch.started();
    stop_all(all).await;
    present.stopped()
}

async fn chain(n: usize) -> Crowd {
    let watch = Watch::begin();
    let mut all = Vec::with_capacity(n);
    for _ in 0..n {
        all.push(Task::start().await);
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
    let hub = Task::start().await;
    let others = (1..n).map(|_| Task::spawn(&gate)).collect();
    gate.opened().await;
    let present = watch.started();
    stop_all(others).await;
    hub.stop().await;
    present.stopped()
}

async fn stop_all(all: Vec<Task>) {
    for task in &all {
        task.0.token.cancel();
    }
    for task in all {
        task.stop().await;
    }
}
