//! One of many replicas runs a service.

mod record;
mod timing;
mod store;
mod election;
mod clock;
mod identity;
mod term;
mod fenced;
mod guard;
mod leader;

pub use election::{Action, Call, CallError, CallId, Election, Event, StopCause};
pub use fenced::{Fenced, StaleFence};
pub use leader::{Leader, LeaderError, LeaseLost, OnOverrun};
pub use record::{Record, Version};
pub use store::{Claim, LeaseStore, Memory, StoreError};
pub use term::Term;
pub use timing::{Timing, TimingError};
