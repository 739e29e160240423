//! A program for the tests. The environment says how long its start and its stop take; files in `SHOP` say what goes wrong.
//!
//! With `SHOP_HTTP` it has a fourth part, `web`: a server at that address, or on the socket `http` that a service manager or a
//! predecessor (`SHOP_HANDOVER`) has handed over.

mod parts;
mod web;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use startstop_core::{Context, Group, Member, OnFailure, service_fn};
use startstop_host::{Handover, Host, Sockets};

use parts::{Cache, Guest, Http, Stuck};
use web::Web;

fn main() -> std::io::Result<ExitCode> {
    let idle = service_fn(async |cx: Context| cx.cancelled().await);
    let mut app = Group::builder("shop")
        .with("db", idle)
        .with("cache", Cache)
        .then("http", Http);
    let handover = env::var_os("SHOP_HANDOVER").map(Handover::at).transpose()?;
    if let Ok(addr) = env::var("SHOP_HTTP") {
        let listener = match &handover {
            Some(handover) => handover.listen("http", &*addr)?,
            None => Sockets::from_env().tcp_or_bind("http", &*addr)?,
        };
        // The last one: a successor that dies at its start must not have taken connections.
        app = app.then("web", Web::on(listener));
    }
    if env::var_os("SHOP_GUEST").is_some() {
        app = app.with("guest", Member::new(Guest).transient());
    }
    if env::var_os("SHOP_STUCK").is_some() {
        // The others go on without it, so it is for the host to find out.
        app = app.with("stuck", Member::new(Stuck).on_failure(OnFailure::Ignore));
    }
    let mut host = Host::new(app.build().expect("the names differ")).notify();
    if let Some(handover) = handover {
        host = host.handover(handover);
    }
    if let Ok(addr) = env::var("SHOP_ADMIN") {
        host = host.admin(addr).allow_control("s3cret");
    }
    // On one thread, so that what blocks it blocks all; but for a part that shall be the only one.
    if env::var_os("SHOP_STUCK").is_some() {
        return Ok(host.main());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(host.run()))
}

/// A duration in milliseconds.
fn millis(name: &str) -> Duration {
    let millis = env::var(name).ok().and_then(|text| text.parse().ok());
    Duration::from_millis(millis.unwrap_or_default())
}
