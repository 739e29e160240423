//! The task that drives a service: one attempt after another, until nobody wants another one.

mod attempt;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use tokio::task::yield_now;

use self::attempt::DrivenAttempt;
use super::Inner;
use super::guard::{Driver, Next};
use super::place::{Boxed, FutureStorage, Inline};
use crate::engine::SpawnTarget;
use crate::engine::task::spawn_on;
use crate::service::Service;
use crate::service::size::is_large;

pub(super) fn spawn<S: Service>(inner: Arc<Inner<S>>, target: &SpawnTarget) {
    let driver = Driver::new(inner, target.id);
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
fn drive<S: Service, P: FutureStorage>(mut driver: Driver<S>) -> impl Future<Output = ()> + Send {
    async move {
        let mut next = Next::Look;
        loop {
            next = match next {
                Next::Run(epoch) => {
                    let ended = {
                        let place = pin!(None);
                        let mut attempt = DrivenAttempt::new(&driver, place);
                        attempt.enter(epoch, |cx| P::run(&driver.inner().service, cx));
                        poll_fn(|cx| attempt.poll(cx)).await
                    };
                    driver.end_run(ended)
                }
                Next::RunSoon(epoch) => {
                    yield_now().await;
                    Next::Run(epoch)
                }
                Next::ShutdownCall(epoch) => {
                    let mut call = driver.call(epoch);
                    let ended = poll_fn(|cx| driver.poll_call(&mut call, cx)).await;
                    driver.end_call(&mut call, ended)
                }
                Next::Pause(until) => driver.pause(until).await,
                Next::Look => poll_fn(|cx| driver.poll_step(cx)).await,
                Next::Settle => driver.settle(),
                Next::Leave => return driver.leave(),
            };
        }
    }
}
