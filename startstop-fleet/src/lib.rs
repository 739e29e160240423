//! One of many replicas runs a service.

mod record;
mod timing;
mod store;
mod election;

pub use election::{Action, Call, CallError, CallId, Election, Event, StopCause};
pub use record::{Record, Version};
pub use store::{Claim, LeaseStore, Memory, StoreError};
pub use timing::{Timing, TimingError};
