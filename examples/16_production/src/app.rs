//! The parts, put together.

use std::net::TcpListener;

use startstop_core::{Group, GroupError, Member, Slot};
use startstop_host::GrpcHealth;

use crate::cache::Cache;
use crate::config::Configured;
use crate::db::Db;
use crate::web::{Desk, Web};
use crate::worker::Worker;

/// Builds the whole: what is configured first, then both servers side by side, then who needs them. It stops in reverse order.
///
/// # Errors
///
/// None with these names; a mistake in the graph would be one.
///
/// # Examples
///
/// See `main.rs`.
pub fn app(config: Configured, web: TcpListener, health: GrpcHealth) -> Result<Group, GroupError> {
    let now = config.now();
    let (pool, redis) = (Slot::new(), Slot::new());
    let db = Db {
        url: now.database.clone(),
        pool: pool.clone(),
    };
    let cache = Cache {
        url: now.redis.clone(),
        redis: redis.clone(),
    };
    let worker = Worker { pool: pool.clone() };
    let web = Web {
        listener: web,
        health,
        desk: Desk {
            config: config.watch(),
            pool,
            redis,
        },
    };
    Group::builder("shop")
        .with("config", config)
        .with("db", db)
        .with("cache", cache)
        // When the database goes down the worker is stopped, and comes back with it.
        .with("worker", Member::new(worker).bound_to(["db"]))
        // The web server goes on: it answers 503 to what needs the database, and to the probe.
        .with("web", Member::new(web).after(["config", "db", "cache"]))
        .build()
}
