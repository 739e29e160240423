//! The promises of startstop, kept by hand: see [`promised`](crate::promised) for which.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Refused;
use crate::contender::{Can, Contender};
use crate::crowd::{Crowd, Watch};
use crate::gate::Gate;
use crate::promised::{Context, Runner, Service, Settings};
use crate::read;

pub(crate) const PROMISED: Contender = Contender {
    name: "the promises, by hand",
    how: "the least that keeps what startstop promises, for one kind of service: a state under one lock, a task, and \
          what is asked of them; a chain and a star are started and stopped in order by who has them, and nobody \
          watches the members",
    cycle: Can::Do(|n| Box::pin(cycle(Idle, n))),
    hooked: Can::Do(|n| Box::pin(cycle(Hooked, n))),
    ready: Can::Do(|n| Box::pin(cycle(Ready, n))),
    restart: Can::Do(|n| Box::pin(restart(n))),
    failing: Can::Do(|n| Box::pin(failing(n))),
    running: Can::Do(|threads, n| Box::pin(reading(threads, n, Runner::is_running))),
    uptime: Can::Do(|threads, n| Box::pin(reading(threads, n, Runner::uptime))),
    crowd: Can::Do(|n| Box::pin(crowd(n))),
    chain: Can::Do(|n| Box::pin(chain(n))),
    star: Can::Do(|n| Box::pin(star(n))),
};

/// Waits for its stop.
struct Idle;

impl Service for Idle {
    type Error = Infallible;

    async fn run(&self, cx: Context<Self>) -> Result<(), Infallible> {
        cx.cancelled().await;
        Ok(())
    }
}

/// Waits for its stop, and has a `shutdown` that awaits.
struct Hooked;

impl Service for Hooked {
    type Error = Infallible;
    const HAS_SHUTDOWN: bool = true;

    async fn run(&self, cx: Context<Self>) -> Result<(), Infallible> {
        cx.cancelled().await;
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), Infallible> {
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// Waits for its stop, and has a `shutdown` that is ready at once.
struct Ready;

impl Service for Ready {
    type Error = Infallible;
    const HAS_SHUTDOWN: bool = true;

    async fn run(&self, cx: Context<Self>) -> Result<(), Infallible> {
        cx.cancelled().await;
        Ok(())
    }
}

/// Waits for its stop, one of many.
struct Gated(Arc<Gate>);

impl Service for Gated {
    type Error = Infallible;

    async fn run(&self, cx: Context<Self>) -> Result<(), Infallible> {
        self.0.enter();
        cx.cancelled().await;
        Ok(())
    }
}

/// Fails so many times, then completes.
struct Failing(u64);

impl Service for Failing {
    type Error = Refused;

    async fn run(&self, cx: Context<Self>) -> Result<(), Refused> {
        if cx.attempt() <= self.0 {
            Err(Refused(cx.attempt()))
        } else {
            Ok(())
        }
    }
}

async fn cycle(service: impl Service, n: u32) -> Duration {
    let runner = Runner::new(service, Settings::default());
    let began = Instant::now();
    for _ in 0..n {
        runner.start().await.expect("it starts");
        runner.stop().await.expect("it stops");
    }
    began.elapsed()
}

async fn restart(n: u32) -> Duration {
    let runner = Runner::new(Idle, Settings::default());
    runner.start().await.expect("it starts");
    let began = Instant::now();
    for _ in 0..n {
        runner.restart().await.expect("it restarts");
    }
    let time = began.elapsed();
    runner.stop().await.expect("it stops");
    time
}

async fn failing(n: u32) -> Duration {
    let settings = Settings {
        restarts: u32::MAX,
        ..Settings::default()
    };
    let runner = Runner::new(Failing(n.into()), settings);
    let began = Instant::now();
    runner
        .start()
        .await
        .expect("a failure is followed by an attempt");
    runner.wait().await;
    let time = began.elapsed();
    assert_eq!(runner.failures(), u64::from(n));
    time
}

async fn reading<T>(threads: usize, n: u32, read: impl Fn(&Runner<Idle>) -> T + Sync) -> Duration {
    let runner = Runner::new(Idle, Settings::default());
    runner.start().await.expect("it starts");
    let time = read::timed(threads, n, || read(&runner));
    runner.stop().await.expect("it stops");
    time
}

fn gated(gate: &Arc<Gate>) -> Runner<Gated> {
    let runner = Runner::new(Gated(Arc::clone(gate)), Settings::default());
    runner.request_start();
    runner
}

async fn crowd(n: usize) -> Crowd {
    let gate = Gate::new(n);
    let mut all = Vec::with_capacity(n);
    let watch = Watch::begin();
    all.extend((0..n).map(|_| gated(&gate)));
    gate.opened().await;
    let present = watch.started();
    stop_all(&all).await;
    present.stopped()
}

async fn chain(n: usize) -> Crowd {
    let mut all: Vec<_> = (0..n)
        .map(|_| Runner::new(Idle, Settings::default()))
        .collect();
    let watch = Watch::begin();
    for runner in &all {
        runner.start().await.expect("it starts");
    }
    let present = watch.started();
    while let Some(last) = all.pop() {
        last.stop().await.expect("it stops");
    }
    present.stopped()
}

async fn star(n: usize) -> Crowd {
    let gate = Gate::new(n - 1);
    let watch = Watch::begin();
    let hub = Runner::new(Idle, Settings::default());
    hub.start().await.expect("it starts");
    let others: Vec<_> = (1..n).map(|_| gated(&gate)).collect();
    gate.opened().await;
    let present = watch.started();
    stop_all(&others).await;
    hub.stop().await.expect("it stops");
    present.stopped()
}

async fn stop_all<S: Service>(all: &[Runner<S>]) {
    for runner in all {
        runner.request_stop();
    }
    for runner in all {
        runner.wait().await;
    }
}
