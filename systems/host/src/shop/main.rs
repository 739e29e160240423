//! A program for the tests. The environment says how long its start and its stop take; files in `SHOP` say what goes wrong.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use startstop_core::{
    Backoff, Context, Group, Readiness, RestartPolicy, Service, Settings, service_fn,
};
use startstop_host::Host;
use tokio::time::sleep;

fn main() -> ExitCode {
    let idle = service_fn(async |cx: Context| cx.cancelled().await);
    let app = Group::builder("shop").with("db", idle).with("cache", Cache).then("http", Http);
    let host = Host::new(app.build().expect("the names differ")).notify();
    let host = match env::var("SHOP_ADMIN") {
        Ok(addr) => host.admin(addr).allow_control("s3cret"),
        Err(_) => host,
    };
    // On one thread, so that what blocks it blocks all.
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(host.run()),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Whether there is a file of that name.
fn is_set(name: &str) -> bool {
    env::var_os("SHOP").is_some_and(|folder| PathBuf::from(folder).join(name).exists())
}

fn millis(name: &str) -> Duration {
    let millis = env::var(name).ok().and_then(|text| text.parse().ok());
    Duration::from_millis(millis.unwrap_or_default())
}

/// It is in backoff as long as there is a file `down`.
struct Cache;

impl Service for Cache {
    type Error = &'static str;

    async fn run(&self, cx: Context) -> Result<(), Self::Error> {
        while !is_set("down") {
            cx.ready();
            if cx.run_until_cancelled(sleep(Duration::from_millis(20))).await.is_none() {
                return Ok(());
            }
        }
        Err("connection refused")
    }

    fn settings(&self) -> Settings {
        let policy = RestartPolicy::on_failure().forever();
        Settings::new()
            .readiness(Readiness::Explicit)
            .restart(policy.backoff(Backoff::constant(Duration::from_millis(500))))
    }
}

/// It starts and stops as slowly as it is told to, and blocks its thread once there is a file `blocked`.
struct Http;

impl Service for Http {
    type Error = String;

    async fn run(&self, cx: Context) -> Result<(), String> {
        if cx.run_until_cancelled(sleep(millis("SHOP_START"))).await.is_none() {
            return Ok(());
        }
        if is_set("taken") {
            return Err("cannot bind: address in use".into());
        }
        cx.ready();
        loop {
            tokio::select! {
                () = cx.cancelled() => break,
                reload = cx.reloaded() => {
                    if is_set("odd") { reload.failed("line 7 is odd") } else { reload.done() }
                }
                () = sleep(Duration::from_millis(20)) => block_if_told(),
            }
        }
        sleep(millis("SHOP_STOP")).await;
        Ok(())
    }

    fn settings(&self) -> Settings {
        let drain = millis("SHOP_DRAIN");
        Settings::new()
            .readiness(Readiness::Explicit)
            .stop_timeout(Duration::from_secs(20))
            .drain(drain)
    }
}

fn block_if_told() {
    if is_set("blocked")
        && std::fs::remove_file(
            PathBuf::from(env::var_os("SHOP").unwrap_or_default()).join("blocked"),
        )
        .is_ok()
    {
        std::thread::sleep(Duration::from_secs(600));
    }
}
