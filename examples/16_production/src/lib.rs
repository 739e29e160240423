//! A shop: orders come in by HTTPS, are kept in PostgreSQL, packed by a worker, and looked up through Redis.
//!
//! Read it in this order: [`config`], [`db`], [`cache`], [`worker`], [`web`], and [`app`](app()), which puts them together.
//! `main.rs` is the program around it, `deploy/` says how it is run, `tests/` runs it on real servers, kills them one by one, and
//! rolls it out.

pub mod config;
pub mod db;
pub mod cache;
pub mod worker;
pub mod web;
pub mod logs;
mod app;

pub use app::app;
