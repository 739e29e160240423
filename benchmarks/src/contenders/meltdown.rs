//! meltdown: services are futures that the caller drives by `next`; none of them is spawned.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use meltdown::{Meltdown, Token};

use super::NO_ORDER;
use crate::contender::{Can, Contender};
use crate::crowd::{Crowd, Watch};
use crate::gate::Gate;

pub(crate) const MELTDOWN: Contender = Contender {
    name: "meltdown",
    how: "a `Meltdown` for each start, `next` polled until the bodies are entered, then `trigger`; its \
          services are futures in the task of the caller, so that none is spawned",
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

async fn cycle(n: u32) -> Duration {
    let began = Instant::now();
    for _ in 0..n {
        let gate = Gate::new(1);
        let body = Arc::clone(&gate);
        let mut meltdown = Meltdown::new().register(|token| idle(token, body));
        entered(&mut meltdown, &gate).await;
        meltdown.trigger();
        while meltdown.next().await.is_some() {}
    }
    began.elapsed()
}

async fn crowd(n: usize) -> Crowd {
    let gate = Gate::new(n);
    let watch = Watch::begin();
    let mut meltdown = Meltdown::new();
    for _ in 0..n {
        let gate = Arc::clone(&gate);
        meltdown = meltdown.register(|token| idle(token, gate));
    }
    entered(&mut meltdown, &gate).await;
    let present = watch.started();
    meltdown.trigger();
    while meltdown.next().await.is_some() {}
    present.stopped()
}

async fn idle(token: Token, gate: Arc<Gate>) {
    gate.enter();
    token.await;
}

/// Drives the services until all of them have been entered.
async fn entered(meltdown: &mut Meltdown<()>, gate: &Gate) {
    let mut next = pin!(meltdown.next());
    poll_fn(|cx| {
        let _ = next.as_mut().poll(cx);
        // It may yield in between, and has arranged to be woken then.
        if gate.is_open() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
