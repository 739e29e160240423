//! Calls of a runner that are made while the test goes on.

use std::future::Future;

use startstop_core::{Runner, Service, StartError, StopError};
use tokio::task::JoinHandle;

use super::{idle, within};

/// Somebody who waits for an outcome.
pub(crate) struct Caller<T>(JoinHandle<T>);

impl<T: Send + 'static> Caller<T> {
    /// Begins to wait: the future has been polled when this returns.
    pub(crate) async fn of(future: impl Future<Output = T> + Send + 'static) -> Self {
        let handle = tokio::spawn(future);
        idle().await;
        Self(handle)
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.0.is_finished()
    }

    /// The outcome of the call, which others can still bring about.
    pub(crate) async fn outcome(self) -> T {
        within(self.0).await.expect("the caller does not panic")
    }

    /// Drops the future of the call.
    pub(crate) async fn give_up(self) {
        self.0.abort();
        let _ = self.0.await;
    }
}

pub(crate) async fn start<S: Service>(runner: &Runner<S>) -> Caller<Result<(), StartError>> {
    let runner = runner.clone();
    Caller::of(async move { runner.start().await }).await
}

pub(crate) async fn ensure<S: Service>(runner: &Runner<S>) -> Caller<Result<(), StartError>> {
    let runner = runner.clone();
    Caller::of(async move { runner.ensure_running().await }).await
}

pub(crate) async fn restart<S: Service>(runner: &Runner<S>) -> Caller<Result<(), StartError>> {
    let runner = runner.clone();
    Caller::of(async move { runner.restart().await }).await
}

pub(crate) async fn stop<S: Service>(runner: &Runner<S>) -> Caller<Result<(), StopError>> {
    let runner = runner.clone();
    Caller::of(async move { runner.stop().await }).await
}

pub(crate) async fn wait<S: Service>(runner: &Runner<S>) -> Caller<startstop_core::Exit> {
    let runner = runner.clone();
    Caller::of(async move { runner.wait().await }).await
}
