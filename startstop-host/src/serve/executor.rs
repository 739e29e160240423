//! Executors for libraries that spawn by themselves: that of the user, and that of one connection.

use std::future::Future;
use std::sync::Arc;

use startstop_core::Context;

use super::phase::ConnectionShared;

/// Spawns the tasks of hyper, tonic and other libraries with hyper's executors as tasks of the
/// attempt, so that none outlives the stop.
///
/// # Examples
///
/// ```
/// use hyper::rt::Executor as _;
/// use startstop_core::{Context, Runner, service_fn};
/// use startstop_host::CxExecutor;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(service_fn(async |cx: Context| {
///     let executor = CxExecutor(cx.clone());
///     let task = cx.clone();
///     executor.execute(async move { task.cancelled().await });
///     cx.cancelled().await;
/// }));
/// runner.start().await.unwrap();
/// runner.stop().await.unwrap(); // the task has ended
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CxExecutor(pub Context);

impl<F> hyper::rt::Executor<F> for CxExecutor
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        self.0.spawn(async move {
            future.await;
        });
    }
}

/// The executor of hyper for one connection: its tasks belong to the attempt.
#[derive(Clone)]
pub(super) struct ConnectionExecutor {
    pub(super) cx: Context,
    pub(super) shared: Arc<ConnectionShared>,
}

/// A task of a connection; it has ended with the drop.
struct ConnectionTask(Arc<ConnectionShared>);

impl Drop for ConnectionTask {
    fn drop(&mut self) {
        if self.0.tunnels.task_ends() {
            self.0.is_idle_from_now();
        }
    }
}

impl<F> hyper::rt::Executor<F> for ConnectionExecutor
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        self.shared.tunnels.task_begins();
        let task = ConnectionTask(Arc::clone(&self.shared));
        self.cx.spawn(async move {
            let _task = task;
            future.await;
        });
    }
}
