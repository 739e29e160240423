//! Services that start, stop, restart and are watched.

mod clock;
mod context;
mod core;
mod error;
mod failure;
mod fence;
mod func;
#[cfg(feature = "signal")]
mod operation;
mod history;
mod hold;
mod lifecycle;
mod name;
mod outcome;
mod panic;
mod parent;
mod permanent;
mod request;
mod restart;
mod retry;
mod runner;
mod service;
mod settings;
mod snapshot;
mod state;
mod status;
mod task;
mod ticket;
mod trace;
mod waiters;
mod word;

pub use context::{Cancelled, CancelledOwned, Context};
pub use error::{StartError, StopError, Unresponsive};
pub use failure::{Failure, Interruption};
pub use func::{
    BlockingFn, Every, Once, ServiceFn, ServiceFnWith, ServicePair, ServicePairWith, blocking_fn,
    every, once, service_fn, service_fn_with,
};
pub use history::History;
#[cfg(feature = "signal")]
pub use operation::run;
pub use outcome::Outcome;
pub use panic::{BoxError, PanicError};
pub use permanent::Permanent;
pub use restart::{Backoff, RestartPolicy};
pub use runner::{Runner, StartStop, StateWatch, WeakRunner};
pub use service::{BoxService, Service};
pub use settings::Settings;
pub use state::{Cause, Exit, Phase, Readiness, State};
pub use status::Status;
