//! An application: a database, a migration, a cache, an HTTP server that waits for them, a worker that
//! fails now and then, an endpoint to stop and start each of them, and their tree every second.
//!
//! Run it: `cargo run --example 14_application`, or with an address for the HTTP server after `--`.
//! Ask for `/value` at the address that it prints, and meanwhile kill the database with
//! `curl -X POST http://ADDRESS/admin/db/kill` at that of the endpoint. Press Ctrl-C, or send SIGTERM.

mod admin;
mod cache;
mod db;
mod http;
mod life;
mod worker;

use std::env;
use std::error::Error;
use std::time::Duration;

use startstop_core::{BoxError, Context, Exit, Group, Member, Runner, Slot, every, once};

use admin::Admin;
use cache::Cache;
use db::{Client, Db};
use http::Http;
use life::Life;
use worker::Worker;

#[tokio::main]
async fn main() -> Result<Exit, Box<dyn Error>> {
    let addr = env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:0".to_owned());
    // What members make for others; each place is empty while its member is down.
    let (client, entries) = (Slot::new(), Slot::new());

    let tables = client.clone();
    let migrate = once(move |cx| migrate(tables.clone(), cx));
    let group = Group::builder("app")
        .with("db", Db::new(client.clone()))
        .with("migrate", Member::new(migrate).after(["db"]))
        .with(
            "cache",
            Member::new(Cache::new(entries.clone())).after(["db"]),
        )
        .with(
            "http",
            Member::new(Http::new(addr, client, entries)).after(["migrate", "cache"]),
        )
        .with("worker", Worker)
        .build()?;
    let app = Runner::new(group);

    // These two look at the whole. They hold it weakly, since the whole holds them.
    app.service()
        .insert("admin", Admin::new(app.downgrade()))
        .await?;
    let weak = app.downgrade();
    let ticker = every(Duration::from_secs(1), move |_cx| {
        let tree = weak.upgrade().map(|app| app.status());
        async move {
            if let Some(tree) = tree {
                println!("{tree}");
            }
        }
    });
    app.service().insert("ticker", ticker).await?;

    Ok(app.run_until_signal().await?)
}

/// Done once, before anything else asks the database.
async fn migrate(client: Slot<Client>, cx: Context) -> Result<(), BoxError> {
    let _life = Life::begin(&cx);
    let Some(db) = client.wait(&cx).await else {
        return Ok(());
    };
    db.ask("set greeting hello").await?;
    Ok(())
}
