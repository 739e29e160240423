//! How a start ends, and whom it takes along.

mod follow;
mod joined;
mod outcome;
mod parent;
mod readiness;
mod runtimes;
mod timeout;
