//! The types that a user reads: states, failures, statuses, events and errors.

pub(crate) mod state;
pub(crate) mod error;
pub(crate) mod failure;
pub(crate) mod history;
pub(crate) mod status;
pub(crate) mod event;
pub(crate) mod causes;
pub(crate) mod permanent;
pub(crate) mod exit_code;
pub(crate) mod panic;
pub(crate) mod trace;
pub(crate) mod outcome;
pub(crate) mod stop_reason;
pub(crate) mod shared_name;
pub(crate) mod path;
pub(crate) mod text;
