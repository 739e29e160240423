//! A runtime that is waited for, whatever the future: tokio's own way is compiled anew for each.

use std::future::Future;
use std::pin::{Pin, pin};

use tokio::runtime::Runtime;

/// Runs a future on a runtime, and waits for it.
pub(super) fn block_on<T>(runtime: &Runtime, future: impl Future<Output = T>) -> T {
    let mut output = None;
    wait(runtime, pin!(async { output = Some(future.await) }));
    output.expect("the future has ended")
}

fn wait(runtime: &Runtime, future: Pin<&mut dyn Future<Output = ()>>) {
    runtime.block_on(future);
}
