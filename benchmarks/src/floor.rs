//! The floor: a task, a token, and a wait for both ends, as one writes it by hand.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A bare task that runs until it is cancelled.
pub(crate) struct Bare {
    token: CancellationToken,
    task: JoinHandle<()>,
}

impl Bare {
    /// Spawns it and does not wait.
    pub(crate) fn spawn() -> Self {
        let token = CancellationToken::new();
        let cancelled = token.clone();
        let task = tokio::spawn(async move { cancelled.cancelled().await });
        Self { token, task }
    }

    /// Spawns it and waits until its body is entered.
    pub(crate) async fn start() -> Self {
        let token = CancellationToken::new();
        let cancelled = token.clone();
        let entered = Arc::new(Notify::new());
        let enters = Arc::clone(&entered);
        let task = tokio::spawn(async move {
            enters.notify_one();
            cancelled.cancelled().await;
        });
        entered.notified().await;
        Self { token, task }
    }

    pub(crate) async fn stop(self) {
        self.token.cancel();
        self.task.await.expect("the task does not panic");
    }
}
