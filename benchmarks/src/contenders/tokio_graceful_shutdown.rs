//! tokio-graceful-shutdown: one top level, in which subsystems are started and shut down.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};
use tokio_graceful_shutdown::{SubsystemBuilder, SubsystemHandle, Toplevel};

use super::NO_ORDER;
use crate::contender::{Can, Contender, Pending};
use crate::crowd::{Crowd, Watch};
use crate::gate::Gate;
use crate::read;

pub(crate) const TOKIO_GRACEFUL_SHUTDOWN: Contender = Contender {
    name: "tokio-graceful-shutdown",
    how: "one `Toplevel`; a nested subsystem for each start, `initiate_shutdown` and `join`; for many \
          of them `request_shutdown` and `wait_for_children`; always from the task of the `Toplevel`",
    cycle: Can::Do(|n| within(move |top| Box::pin(cycle(top, n)))),
    hooked: Can::Not("what follows a cancellation is part of the body"),
    ready: Can::Not("what follows a cancellation is part of the body"),
    restart: Can::Not("nothing is started twice"),
    failing: Can::Not("nothing is started twice"),
    running: Can::Do(|threads, n| within(move |top| Box::pin(running(top, threads, n)))),
    uptime: Can::Not("it keeps no time"),
    crowd: Can::Do(|n| within(move |top| Box::pin(crowd(top, n)))),
    chain: NO_ORDER,
    star: NO_ORDER,
};

/// Runs it as the root of a tree of subsystems.
fn within<T: Send + 'static>(
    root: impl for<'a> FnOnce(&'a mut SubsystemHandle) -> Borrowing<'a, T> + Send + 'static,
) -> Pending<T> {
    let (tell, told) = oneshot::channel();
    let top = async move |top: &mut SubsystemHandle| {
        let _ = tell.send(root(top).await);
    };
    Box::pin(async {
        let ended = Toplevel::new(top)
            .handle_shutdown_requests(Duration::MAX)
            .await;
        ended.expect("it shuts down in time");
        told.await.expect("the root has run")
    })
}

type Borrowing<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

async fn cycle(top: &mut SubsystemHandle, n: u32) -> Duration {
    let began = Instant::now();
    for _ in 0..n {
        let entered = Arc::new(Notify::new());
        let enters = Arc::clone(&entered);
        let subsystem = async move |subsystem: &mut SubsystemHandle| {
            enters.notify_one();
            subsystem.on_shutdown_requested().await;
            Ok::<(), Infallible>(())
        };
        let nested = top.start(SubsystemBuilder::new("idle", subsystem));
        entered.notified().await;
        nested.initiate_shutdown();
        nested.join().await.expect("it does not fail");
    }
    began.elapsed()
}

async fn running(top: &mut SubsystemHandle, threads: usize, n: u32) -> Duration {
    let idle = async |subsystem: &mut SubsystemHandle| {
        subsystem.on_shutdown_requested().await;
        Ok::<(), Infallible>(())
    };
    let nested = top.start(SubsystemBuilder::new("idle", idle));
    let time = read::timed(threads, n, || !nested.is_finished());
    nested.initiate_shutdown();
    nested.join().await.expect("it does not fail");
    time
}

async fn crowd(top: &mut SubsystemHandle, n: usize) -> Crowd {
    let gate = Gate::new(n);
    let mut all = Vec::with_capacity(n);
    let watch = Watch::begin();
    for _ in 0..n {
        let gate = Arc::clone(&gate);
        let subsystem = async move |subsystem: &mut SubsystemHandle| {
            gate.enter();
            subsystem.on_shutdown_requested().await;
            Ok::<(), Infallible>(())
        };
        all.push(top.start(SubsystemBuilder::new("idle", subsystem)));
    }
    gate.opened().await;
    let present = watch.started();
    top.request_shutdown();
    top.wait_for_children().await;
    present.stopped()
}
