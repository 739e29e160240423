//! An executor for libraries that spawn by themselves.

use std::future::Future;

use startstop_core::Context;

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
