//! The parts that start, stop and fail as they are told to.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use startstop_core::{Backoff, Context, Readiness, Reload, RestartPolicy, Service, Settings};
use startstop_host::without_notify;
use tokio::time::sleep;

use crate::millis;

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(600);
const MOMENT: Duration = Duration::from_millis(20);

fn path(name: &str) -> Option<PathBuf> {
    env::var_os("SHOP").map(|folder| PathBuf::from(folder).join(name))
}

/// Whether there is a file of that name.
fn is_set(name: &str) -> bool {
    path(name).is_some_and(|path| path.exists())
}

/// Whether there was one, which is gone then.
fn take(name: &str) -> bool {
    path(name).is_some_and(|path| std::fs::remove_file(path).is_ok())
}

/// It is in backoff as long as there is a file `down`.
pub(crate) struct Cache;

impl Service for Cache {
    type Error = &'static str;

    async fn run(&self, cx: Context) -> Result<(), Self::Error> {
        while !is_set("down") {
            cx.ready();
            if cx.run_until_cancelled(sleep(MOMENT)).await.is_none() {
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

/// It starts and stops as slowly as it is told to, blocks its thread once there is a file `blocked`, and begins a child that
/// writes its environment once there is a file `child`. When it has stopped in order it leaves a file `stopped`.
pub(crate) struct Http;

impl Service for Http {
    type Error = String;

    async fn run(&self, cx: Context) -> Result<(), String> {
        if cx
            .run_until_cancelled(sleep(millis("SHOP_START")))
            .await
            .is_none()
        {
            return Ok(());
        }
        if is_set("taken") {
            return Err("cannot bind: address in use".into());
        }
        cx.gauge("doors", 2.0);
        cx.ready();
        loop {
            tokio::select! {
                () = cx.cancelled() => break,
                reload = cx.reloaded() => {
                    sleep(millis("SHOP_RELOAD")).await;
                    answer(reload);
                }
                () = sleep(MOMENT) => act(),
            }
        }
        sleep(millis("SHOP_STOP")).await;
        path("stopped")
            .map_or(Ok(()), |path| std::fs::write(path, ""))
            .map_err(|e| e.to_string())
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .readiness(Readiness::Explicit)
            .stop_timeout(Duration::from_secs(20))
            .drain(millis("SHOP_DRAIN"))
    }
}

/// It leaves a file `reloaded`, or refuses while there is a file `odd`.
fn answer(reload: Reload) {
    if is_set("odd") {
        return reload.failed("line 7 is odd");
    }
    if let Some(path) = path("reloaded") {
        drop(std::fs::write(path, ""));
    }
    reload.done();
}

fn act() {
    if take("blocked") {
        thread::sleep(FOR_EVER);
    }
    if take("child") {
        let mut child = Command::new("sh");
        child.args([
            "-c",
            "env >$SHOP/env.new; mv $SHOP/env.new $SHOP/env; exec sleep 600",
        ]);
        drop(without_notify(&mut child).spawn());
    }
}

/// It leaves once there is a file `leave`.
pub(crate) struct Guest;

impl Service for Guest {
    type Error = String;

    async fn run(&self, cx: Context) -> Result<(), String> {
        while !is_set("leave") {
            if cx.run_until_cancelled(sleep(MOMENT)).await.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// It blocks its thread once there is a file `stuck`: its watchdog finds out, and no abort helps.
pub(crate) struct Stuck;

impl Service for Stuck {
    type Error = String;

    async fn run(&self, cx: Context) -> Result<(), String> {
        loop {
            cx.heartbeat();
            if cx.run_until_cancelled(sleep(MOMENT)).await.is_none() {
                return Ok(());
            }
            if take("stuck") {
                thread::sleep(FOR_EVER);
            }
        }
    }

    fn settings(&self) -> Settings {
        let moment = Duration::from_millis(500);
        Settings::new().watchdog(moment).abort_timeout(moment)
    }
}
