//! Services that start, stop, restart and are watched.

mod panic;
mod permanent;
mod state;
mod failure;
mod restart;
mod clock;
mod retry;
mod status;
mod trace;
mod error;
mod lifecycle;
mod parent;
mod waiters;
mod history;
mod word;
mod settings;
mod core;
mod outcome;
mod fence;
mod task;
mod request;
mod context;
mod name;
mod service;
mod driver;
mod hold;
mod func;
mod snapshot;
mod ticket;
mod runner;
#[cfg(feature = "signal")]
mod operation;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

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
#[cfg(feature = "derive")]
pub use startstop_derive::{Service, service_methods};
pub use state::{Cause, Exit, Phase, Readiness, State};
pub use status::Status;
