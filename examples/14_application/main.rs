//! An application: a database, a migration, a cache, an HTTP server that waits for them, and a worker that fails now and then,
//! with a port for operators.
//!
//! Run it: `cargo run --example 14_application`, or with an address for the HTTP server after `--`. It prints what happens to each
//! member. Look at the page on the port for operators, ask for `/value` at the address of the server, and meanwhile stop the
//! database with `curl -X POST -H 'Authorization: Bearer letmein' http://ADDRESS/control/stop/app/db`. SIGHUP empties the
//! cache. Press Ctrl-C, or send SIGTERM.

mod cache;
mod db;
mod http;
mod worker;

use std::env;
use std::net::TcpListener;
use std::process::ExitCode;

use startstop_core::{BoxError, Context, Events, Group, Member, Slot, on_exit, once};
use startstop_host::Host;

use cache::Cache;
use db::{Client, Db};
use http::Http;
use worker::Worker;

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let admin = TcpListener::bind("127.0.0.1:0")?;
    println!("admin on http://{}", admin.local_addr()?);
    let addr = env::args().nth(1);
    let host = Host::new(application(
        addr.unwrap_or_else(|| "127.0.0.1:0".to_owned()),
    )?)
    .admin_on(admin) // probes, status, events and a page
    .allow_control("letmein");
    let printed = tokio::spawn(print(host.runner().events()));
    on_exit(|| println!("all is down"));
    let code = host.run().await;
    printed.await?;
    Ok(code)
}

fn application(addr: String) -> Result<Group, BoxError> {
    // What members make for others; each place is empty while its member is down.
    let (client, entries) = (Slot::new(), Slot::new());
    let tables = client.clone();
    let migrate = once(move |cx| migrate(tables.clone(), cx));
    let cache = Cache::new(entries.clone());
    let group = Group::builder("app")
        .with("db", Db::new(client.clone()))
        .with("migrate", Member::new(migrate).after(["db"]))
        .with("cache", Member::new(cache).after(["db"]))
        .then("http", Http::new(addr, client, entries))
        .with("worker", Worker)
        .build()?;
    Ok(group)
}

/// Done once, before anything else asks the database.
async fn migrate(client: Slot<Client>, cx: Context) -> Result<(), BoxError> {
    if let Some(db) = client.wait(&cx).await {
        db.ask("set greeting hello").await?;
    }
    Ok(())
}

async fn print(mut events: Events) {
    while let Some(event) = events.next().await {
        println!("{} {}", event.path(), event.kind());
    }
}
