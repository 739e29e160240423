//! tokio-graceful: a `Shutdown` is triggered once, so that each start takes a new one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use tokio_graceful::Shutdown;

use super::NO_ORDER;
use crate::contender::{Can, Contender};
use crate::crowd::{Crowd, Watch};
use crate::gate::Gate;

pub(crate) const TOKIO_GRACEFUL: Contender = Contender {
    name: "tokio-graceful",
    how: "a `Shutdown` for each start, `spawn_task_fn`, a `oneshot` as its signal, then `shutdown`",
    cycle: Can::Do(|n| Box::pin(cycle(n))),
    hooked: Can::Not("what follows a cancellation is part of the body"),
    ready: Can::Not("what follows a cancellation is part of the body"),
    restart: Can::Not("nothing is started twice"),
    failing: Can::Not("nothing is started twice"),
    running: Can::Not("there is no state to read"),
    uptime: Can::Not("there is no state to read"),
    crowd: Can::Do(|n| Box::pin(crowd(n))),
    chain: NO_ORDER,
    star: NO_ORDER,
};

fn shutdown() -> (oneshot::Sender<()>, Shutdown) {
    let (trigger, triggered) = oneshot::channel::<()>();
    let shutdown = Shutdown::new(async {
        triggered
            .await
            .expect("it is triggered before it is dropped");
    });
    (trigger, shutdown)
}

async fn cycle(n: u32) -> Duration {
    let began = Instant::now();
    for _ in 0..n {
        let (trigger, shutdown) = shutdown();
        let entered = Arc::new(Notify::new());
        let enters = Arc::clone(&entered);
        shutdown.spawn_task_fn(|guard| async move {
            enters.notify_one();
            guard.cancelled().await;
        });
        entered.notified().await;
        trigger.send(()).expect("it is waited for");
        shutdown.shutdown().await;
    }
    began.elapsed()
}

async fn crowd(n: usize) -> Crowd {
    let gate = Gate::new(n);
    let watch = Watch::begin();
    let (trigger, shutdown) = shutdown();
    for _ in 0..n {
        let gate = Arc::clone(&gate);
        shutdown.spawn_task_fn(|guard| async move {
            gate.enter();
            guard.cancelled().await;
        });
    }
    gate.opened().await;
    let present = watch.started();
    trigger.send(()).expect("it is waited for");
    shutdown.shutdown().await;
    present.stopped()
}
