//! The kinds of runtime that all is measured on, and who asks there.

use crate::contender::Pending;
use tokio::runtime::{Builder, Runtime};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flavour {
    CurrentThread,
    MultiThread,
    /// The same, but the one who starts and stops is not one of the workers.
    FromMain,
}

impl Flavour {
    /// Those that all is measured on.
    pub(crate) const ALL: [Self; 2] = [Self::CurrentThread, Self::MultiThread];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CurrentThread => "current_thread",
            Self::MultiThread => "multi_thread, two workers",
            Self::FromMain => "multi_thread, asked from main",
        }
    }

    /// The one with this name in the code.
    pub(crate) fn called(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|flavour| format!("{flavour:?}") == name)
    }

    pub(crate) fn runtime(self) -> Runtime {
        let mut builder = match self {
            Self::CurrentThread => Builder::new_current_thread(),
            Self::MultiThread | Self::FromMain => {
                let mut builder = Builder::new_multi_thread();
                builder.worker_threads(2);
                builder
            }
        };
        builder
            .enable_all()
            .build()
            .expect("a runtime can be built")
    }

    /// Waits for it: as a task of the runtime, as what starts and stops services mostly is.
    pub(crate) fn wait<T: Send + 'static>(self, runtime: &Runtime, work: Pending<T>) -> T {
        match self {
            Self::CurrentThread | Self::MultiThread => {
                let task = runtime.spawn(work);
                runtime.block_on(task).expect("it does not panic")
            }
            Self::FromMain => runtime.block_on(work),
        }
    }
}
