//! A program among others: what it is told by its host, and what it tells.
//!
//! [`Probes`] answer whether a service is alive, has started and is ready, with the parts that say no. They know of no
//! framework: an HTTP server, a gRPC health service or a test reads the same [`Verdict`].
//!
//! # Features
//!
//! All are off by default; `full` turns on all.
//!
//! - `sockets`: `Sockets`, the listeners that a service manager has handed over (Unix).

#![cfg_attr(docsrs, feature(doc_cfg))]

mod child;
mod probes;
mod source;
mod verdict;
#[cfg(all(unix, feature = "sockets"))]
mod sockets;

pub use child::without_notify;
pub use probes::Probes;
#[cfg(all(unix, feature = "sockets"))]
pub use sockets::Sockets;
pub use verdict::Verdict;
