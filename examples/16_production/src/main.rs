//! A whole production service, as a program: `shop /etc/shop/shop.toml`.
//!
//! Run it from this folder, with PostgreSQL and Redis at hand: `cargo run -- deploy/shop.toml`. `.ci/run sample` runs its tests,
//! which bring their own servers.

use std::env;
use std::process::ExitCode;

use shop::config::Configured;
use startstop_core::{BoxError, Group};
use startstop_host::{GrpcHealth, Handover, Host, run_as_init};

fn main() -> ExitCode {
    // In a container it is pid 1, which only hands signals on and reaps; the shop is its child.
    if let Some(code) = run_as_init() {
        return code;
    }
    shop::logs::begin();
    match host() {
        Ok(host) => host.main(),
        Err(error) => {
            eprintln!("shop: {error}");
            ExitCode::FAILURE
        }
    }
}

/// An error that can only be there from the beginning ends the program at once; everything else is waited for.
fn host() -> Result<Host<Group>, BoxError> {
    let path = env::args_os()
        .nth(1)
        .unwrap_or_else(|| "/etc/shop/shop.toml".into());
    let config = Configured::from_file(path)?;
    let now = config.now();
    // From the version that runs already, or from a socket unit, or new.
    let handover = Handover::at(&now.handover)?;
    let web = handover.listen("web", &now.listen)?;
    let admin = handover.listen("admin", &now.admin)?;
    let health = GrpcHealth::new();
    let app = shop::app(config, web, health.clone())?;
    let host = Host::new(app).notify().admin_on(admin);
    Ok(host.grpc_health(&health).handover(handover))
}
