//! The few tasks of ours on the runtime of the service. They end with the program, whose runtime may live on.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// Tasks that are aborted when it is dropped.
pub(crate) struct Tasks {
    runtime: Handle,
    tasks: Vec<AbortHandle>,
}

impl Tasks {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self {
            runtime,
            tasks: Vec::new(),
        }
    }

    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(self.runtime.spawn(task).abort_handle());
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}
