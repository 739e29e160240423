//! startstop: a runner, which is started and stopped again and again.

pub(crate) mod groups;
pub(crate) mod listened;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use startstop_core::{
    Backoff, Context, Exit, Group, Member, RestartPolicy, Runner, Service, Settings,
};

use super::Refused;
use crate::contender::{Can, Contender};
use crate::crowd::{Crowd, Heap, Watch};
use crate::gate::Gate;
use crate::read;

pub(crate) const STARTSTOP: Contender = Contender {
    name: "startstop",
    how: "a `Runner` of a type that implements `Service`, `start`, `stop` and `restart`; for many of them \
          `request_start`, `request_stop` and `wait`; a `Group` for the chain and for the star",
    cycle: Can::Do(|n| Box::pin(cycle(Runner::new(Idle), n))),
    hooked: Can::Do(|n| Box::pin(cycle(Runner::new(Hooked), n))),
    ready: Can::Do(|n| Box::pin(cycle(Runner::new(Ready), n))),
    restart: Can::Do(|n| Box::pin(restart(n))),
    failing: Can::Do(|n| Box::pin(failing(n))),
    running: Can::Do(|threads, n| Box::pin(reading(threads, n, Runner::is_running))),
    uptime: Can::Do(|threads, n| Box::pin(reading(threads, n, Runner::uptime))),
    crowd: Can::Do(|n| Box::pin(crowd(n))),
    chain: Can::Do(|n| Box::pin(group(chain(n)))),
    star: Can::Do(|n| Box::pin(group(star(n)))),
};

/// Waits for its stop.
struct Idle;

impl Service for Idle {
    type Error = Infallible;

    async fn run(&self, cx: Context) -> Result<(), Infallible> {
        cx.cancelled().await;
        Ok(())
    }
}

/// Waits for its stop, and has a `shutdown` that awaits.
struct Hooked;

impl Service for Hooked {
    type Error = Infallible;

    async fn run(&self, cx: Context) -> Result<(), Infallible> {
        cx.cancelled().await;
        Ok(())
    }

    async fn shutdown(&self, _cx: Context) -> Result<(), Infallible> {
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// Waits for its stop, and has a `shutdown` that is ready at once.
struct Ready;

impl Service for Ready {
    type Error = Infallible;

    async fn run(&self, cx: Context) -> Result<(), Infallible> {
        cx.cancelled().await;
        Ok(())
    }

    async fn shutdown(&self, _cx: Context) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Waits for its stop, one of many.
pub(crate) struct Gated(Arc<Gate>);

impl Service for Gated {
    type Error = Infallible;

    async fn run(&self, cx: Context) -> Result<(), Infallible> {
        self.0.enter();
        cx.cancelled().await;
        Ok(())
    }
}

/// Fails so many times, then completes.
struct Failing(u64);

impl Service for Failing {
    type Error = Refused;

    async fn run(&self, cx: Context) -> Result<(), Refused> {
        if cx.attempt() <= self.0 {
            Err(Refused(cx.attempt()))
        } else {
            Ok(())
        }
    }

    fn settings(&self) -> Settings {
        Settings::new().restart(
            RestartPolicy::on_failure()
                .backoff(Backoff::none())
                .forever(),
        )
    }
}

async fn cycle<S: Service>(runner: Runner<S>, n: u32) -> Duration {
    let began = Instant::now();
    for _ in 0..n {
        runner.start().await.expect("it starts");
        runner.stop().await.expect("it stops");
    }
    began.elapsed()
}

async fn restart(n: u32) -> Duration {
    let runner = Runner::new(Idle);
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
    let runner = Runner::new(Failing(n.into()));
    let began = Instant::now();
    runner
        .start()
        .await
        .expect("a failure is followed by an attempt");
    let exit = runner.wait().await;
    let time = began.elapsed();
    assert_eq!(
        (exit, runner.status().failures()),
        (Exit::Completed, u64::from(n))
    );
    time
}

async fn reading<T>(threads: usize, n: u32, read: impl Fn(&Runner<Idle>) -> T + Sync) -> Duration {
    let runner = Runner::new(Idle);
    runner.start().await.expect("it starts");
    let time = read::timed(threads, n, || read(&runner));
    runner.stop().await.expect("it stops");
    time
}

async fn crowd(n: usize) -> Crowd {
    let gate = Gate::new(n);
    let mut all = Vec::with_capacity(n);
    let watch = Watch::begin();
    for _ in 0..n {
        let runner = Runner::new(Gated(Arc::clone(&gate)));
        runner.request_start();
        all.push(runner);
    }
    gate.opened().await;
    let present = watch.started();
    for runner in &all {
        runner.request_stop();
    }
    for runner in &all {
        runner.wait().await;
    }
    present.stopped()
}

/// The heap of services that never ran.
pub(crate) fn stopped(n: usize) -> Heap {
    let gate = Gate::new(n);
    let mut all = Vec::with_capacity(n);
    let watch = Watch::begin();
    all.extend((0..n).map(|_| Runner::new(Gated(Arc::clone(&gate)))));
    watch.heap()
}

fn chain(n: usize) -> Group {
    let builder = Group::builder("chain");
    let chained = (0..n).fold(builder, |all, member| all.then(member.to_string(), Idle));
    chained.build().expect("the names differ")
}

fn star(n: usize) -> Group {
    let hub = Group::builder("star").with("hub", Idle);
    let star = (1..n).fold(hub, |all, member| {
        all.with(member.to_string(), Member::new(Idle).after(["hub"]))
    });
    star.build().expect("the names differ")
}

async fn group(group: Group) -> Crowd {
    let runner = Runner::new(group);
    let watch = Watch::begin();
    runner.start().await.expect("it starts");
    let present = watch.started();
    runner.stop().await.expect("it stops");
    present.stopped()
}
