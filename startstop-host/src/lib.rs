//! A program among others: what it is told by its host, and what it tells.
//!
//! [`Host`] runs a service as a whole program, and answers to what the host asks. [`Probes`] answer whether a service is alive,
//! has started and is ready, with the parts that say no. They know of no framework: an HTTP server, a gRPC health service or a
//! test reads the same [`Verdict`]. [`Replaceable`] is a service whose successor takes over while it runs.
//!
//! # Features
//!
//! All are off by default; `full` turns on all.
//!
//! - `admin`: a port with probes, status, events, control and a page (`Host::admin`), and the `router` of it.
//! - `metrics`: the metrics of a service for Prometheus (`collector`), and `/metrics` on the admin port.
//! - `notify`: what a service manager is told (`Host::notify`, `Host::notify_fd`): systemd or s6 (Unix).
//! - `init`: a program that is pid 1 runs itself once more as a child, forwards signals and reaps (`run_as_init`; Linux).
//! - `top`: the program `startstop-top`, the tree of a program in a terminal, by its admin port.
//! - `otel`: the same metrics as instruments of OpenTelemetry (`observe`), and `flush_last` for exporters.
//! - `serve`: HTTP servers that leave nothing behind at a stop (`serve`, `Serve`), and `CxExecutor`.
//! - `grpc-health`: `GrpcHealth`, the gRPC health service of a program, by tonic-health; with `serve`.
//! - `tls`: `Serve::tls`, with certificates that are read again on a reload (`Tls`).
//! - `handover`: `Handover`, a new process that takes the listeners of the old one over, and replaces it when it is ready (Unix).
//! - `sockets`: `Sockets`, the listeners that a service manager has handed over (Unix).

#![cfg_attr(docsrs, feature(doc_cfg))]

mod child;
#[cfg(all(target_os = "linux", feature = "init"))]
mod init;
mod error_text;
mod source;
mod parts;
mod verdict;
#[cfg(any(feature = "serve", all(unix, feature = "handover")))]
mod descriptors;
mod pulse;
mod probes;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "admin")]
mod admin;
#[cfg(all(unix, feature = "notify"))]
mod notify;
#[cfg(all(unix, feature = "handover"))]
mod handover;
mod host;
mod replaceable;
#[cfg(feature = "otel")]
mod otel;
#[cfg(all(unix, feature = "sockets"))]
mod sockets;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "grpc-health")]
mod grpc_health;

#[cfg(feature = "admin")]
pub use admin::router;
pub use child::without_notify;
#[cfg(feature = "grpc-health")]
pub use grpc_health::GrpcHealth;
#[cfg(all(unix, feature = "handover"))]
pub use handover::Handover;
pub use host::Host;
#[cfg(all(target_os = "linux", feature = "init"))]
pub use init::run_as_init;
#[cfg(feature = "metrics")]
pub use metrics::{MetricsCollector, collector};
#[cfg(feature = "otel")]
pub use otel::{flush_last, observe};
pub use probes::Probes;
pub use replaceable::Replaceable;
#[cfg(feature = "tls")]
pub use serve::Tls;
#[cfg(feature = "serve")]
pub use serve::{App, CxExecutor, Listener, Serve, serve};
#[cfg(all(unix, feature = "sockets"))]
pub use sockets::Sockets;
pub use verdict::Verdict;

/// The program of the page on the registry compiles.
#[cfg(all(doctest, feature = "admin", feature = "notify"))]
#[doc = include_str!("../README.md")]
pub struct Readme;
