//! One of many replicas runs a service of startstop: three replicas, one invoice run.
//!
//! A [`Leader`] is a service that runs another one while it holds a lease on a [store](LeaseStore). What others leave open, it
//! keeps: *a leader is told to stop early enough; the lease is given up only after its service has ended; and if it does not end in
//! time, the process exits*.
//!
//! ```
//! use startstop_core::{Runner, service_fn};
//! use startstop_fleet::{Leader, Memory, Term};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let store = Memory::new(); // for tests; replicas share another one
//! let invoices = Leader::new("invoices", store, |term: Term| {
//!     service_fn(move |cx| {
//!         let fence = term.fence();
//!         async move {
//!             // Each write says `where fence <= $1`.
//!             assert!(fence >= 1);
//!             cx.cancelled().await;
//!         }
//!     })
//! });
//! let runner = Runner::new(invoices);
//! runner.start().await.unwrap(); // ready, leading or not
//! runner.stop().await.unwrap(); // the service has ended, then the lease was released
//! # }
//! ```
//!
//! # What a fence is for
//!
//! No clock helps against a write that is on the wire when a term ends, nor against a process that is frozen in the middle of one.
//! So each term has a [fence](Term::fence), greater than those of all terms before, also when the record of the lease was deleted
//! meanwhile; and whoever receives writes refuses a smaller one than the greatest it has seen. [`Fenced`] does that in memory.
//!
//! # The numbers
//!
//! They follow from a [`Timing`] and are derived there: when a leader is told to stop, that two never overlap, and how long a failover
//! takes. What they rest on:
//!
//! - Clocks of two machines run apart by at most the `skew` of the timing. What they show does not matter: a clock is only ever
//!   compared with itself. It is the one that goes on while the machine sleeps.
//! - The store compares and sets a record as one step, and does not go back to an older state. One that is reset may repeat
//!   fences.
//! - A record that somebody deletes or takes by hand while its leader runs is noticed by the next renewal: until then, and until the
//!   service has ended, another one may run beside it. The fence tells them apart.
//!
//! # How it is known
//!
//! All rules are in [`Election`], which has no clock and does no I/O. The tests of this crate run that very code in thousands of
//! simulated replicas, with lost, late and doubled messages, frozen processes, clocks that run apart and stores that come back; and
//! they break each of its rules, one at a time, to see that it is caught.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod record;
mod timing;
mod store;
pub mod conformance;
mod election;
mod patience;
mod clock;
mod wall;
mod identity;
mod term;
mod fenced;
mod in_term;
mod guard;
mod leader;
mod shards;

pub use election::{Action, Call, CallError, CallId, Election, Event, StopCause};
pub use fenced::{Fenced, StaleFence};
pub use leader::{Leader, LeaderError, LeaseLost, OnOverrun};
pub use record::{Record, Version};
pub use shards::{FixedShards, Shards, ShardsError};
#[cfg(unix)]
pub use store::Dir;
#[cfg(feature = "etcd")]
pub use store::Etcd;
#[cfg(feature = "kubernetes")]
pub use store::Kubernetes;
#[cfg(feature = "postgres")]
pub use store::Postgres;
pub use store::{Change, Claim, LeaseStore, Memory, StoreError};
pub use term::{Term, TermOver};
pub use timing::{Timing, TimingError};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
