//! The task that drives a service: one attempt after another, until nobody wants another one.

mod attempt;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use tokio::task::yield_now;

use self::attempt::DrivenAttempt;
use super::guard::{Driver, Next};
use super::interlude::Interlude;
use super::place::{Boxed, FutureStorage, Inline};
use super::service_of;
use super::shutdown_call::future_of;
use crate::engine::task::spawn_on;
use crate::engine::{Node, SpawnTarget};
use crate::service::Service;
use crate::service::size::is_large;

pub(super) fn spawn<S: Service>(node: Arc<dyn Node>, target: &SpawnTarget) {
    let driver = Driver::new(node, target.id);
    if const { is_large(S::run) } {
        drop(spawn_on(&target.on, drive::<S, Boxed>(driver)));
    } else {
        drop(spawn_on(&target.on, drive::<S, Inline>(driver)));
    }
}

/// Drives the service.
///
/// The future stays with every service that runs, so its size counts: a block keeps one copy of the
/// driver where an `async fn` keeps two, `Next` is not alive across an await, and an attempt knows
/// nothing twice.
#[allow(clippy::manual_async_fn)]
fn drive<S: Service, P: FutureStorage>(mut driver: Driver) -> impl Future<Output = ()> + Send {
    async move {
        let mut next = Next::Look;
        loop {
            let came = {
                let mut interlude = Interlude::new(next);
                poll_fn(|cx| interlude.poll(&mut driver, future_of::<S>, cx)).await
            };
            let epoch = match came {
                Next::Run(epoch) => epoch,
                Next::RunSoon(epoch) => {
                    yield_now().await;
                    epoch
                }
                _ => break,
            };
            let ended = {
                let mut attempt = pin!(DrivenAttempt::new(&driver));
                let run = |cx| P::run(service_of::<S>(driver.node()), cx);
                attempt.as_mut().enter(epoch, run);
                poll_fn(move |cx| attempt.as_mut().poll(future_of::<S>, cx)).await
            };
            next = driver.end_run(ended);
            if let Next::Leave = next {
                break;
            }
        }
        driver.leave();
    }
}
