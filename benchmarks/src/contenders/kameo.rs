//! kameo: actors without messages; entered is what has passed `on_start`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kameo::actor::{Actor, ActorRef, Spawn, WeakActorRef};
use kameo::error::{ActorStopReason, Infallible};
use kameo::supervision::RestartPolicy;

use super::{NO_ORDER, Refused};
use crate::contender::{Can, Contender};
use crate::crowd::{Crowd, Watch};
use crate::gate::Gate;
use crate::read;

pub(crate) const KAMEO: Contender = Contender {
    name: "kameo",
    how: "an actor without messages, `spawn` and `wait_for_startup`, then `stop_gracefully` and \
          `wait_for_shutdown`; `on_stop` as the hook, whose default is ready at once; `supervise` with `RestartPolicy::Transient` \
          for what fails",
    cycle: Can::Do(|n| Box::pin(cycle::<Idle>(n))),
    hooked: Can::Do(|n| Box::pin(cycle::<Hooked>(n))),
    ready: Can::Do(|n| Box::pin(cycle::<Idle>(n))),
    restart: Can::Not("it cannot be asked for a restart"),
    failing: Can::Do(|n| Box::pin(failing(n))),
    running: Can::Do(|threads, n| Box::pin(running(threads, n))),
    uptime: Can::Not("it keeps no time"),
    crowd: Can::Do(|n| Box::pin(crowd(n))),
    chain: NO_ORDER,
    star: NO_ORDER,
};

/// Waits for its stop.
struct Idle;

impl Actor for Idle {
    type Args = ();
    type Error = Infallible;

    async fn on_start((): (), _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(Self)
    }
}

/// Waits for its stop, and awaits in it.
struct Hooked;

impl Actor for Hooked {
    type Args = ();
    type Error = Infallible;

    async fn on_start((): (), _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(Self)
    }

    async fn on_stop(
        &mut self,
        _: WeakActorRef<Self>,
        _: ActorStopReason,
    ) -> Result<(), Infallible> {
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// Fails until the gate is open.
struct Failing;

impl Actor for Failing {
    type Args = Arc<Gate>;
    type Error = Refused;

    async fn on_start(last: Arc<Gate>, _: ActorRef<Self>) -> Result<Self, Refused> {
        last.enter();
        if last.is_open() {
            Ok(Self)
        } else {
            Err(Refused(1))
        }
    }
}

async fn cycle<A: Actor<Args = ()>>(n: u32) -> Duration {
    let began = Instant::now();
    for _ in 0..n {
        let actor = A::spawn(());
        actor.wait_for_startup().await;
        actor.stop_gracefully().await.expect("it runs");
        actor.wait_for_shutdown().await;
    }
    began.elapsed()
}

async fn failing(n: u32) -> Duration {
    let supervisor = Idle::spawn(());
    let last = Gate::new(usize::try_from(n).expect("it fits") + 1);
    let began = Instant::now();
    let actor = Failing::supervise(&supervisor, Arc::clone(&last))
        .restart_policy(RestartPolicy::Transient)
        .restart_limit(u32::MAX, Duration::MAX)
        .spawn()
        .await;
    last.opened().await;
    let time = began.elapsed();
    supervisor.stop_gracefully().await.expect("it runs");
    supervisor.wait_for_shutdown().await;
    drop(actor);
    time
}

async fn running(threads: usize, n: u32) -> Duration {
    let actor = Idle::spawn(());
    actor.wait_for_startup().await;
    let time = read::timed(threads, n, || actor.is_alive());
    actor.stop_gracefully().await.expect("it runs");
    actor.wait_for_shutdown().await;
    time
}

async fn crowd(n: usize) -> Crowd {
    let mut all = Vec::with_capacity(n);
    let watch = Watch::begin();
    all.extend((0..n).map(|_| Idle::spawn(())));
    for actor in &all {
        actor.wait_for_startup().await;
    }
    let present = watch.started();
    for actor in &all {
        actor.stop_gracefully().await.expect("it runs");
    }
    for actor in &all {
        actor.wait_for_shutdown().await;
    }
    present.stopped()
}
