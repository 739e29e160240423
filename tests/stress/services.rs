//! Services that do at random what services do.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use startstop_core::{
    Backoff, Context, Readiness, RestartPolicy, Service, Settings, service_fn_with,
};

use crate::support::{Census, short};

type Counted = Arc<Arc<Census>>;

/// Ends well, fails, panics, hangs, waits for its end, spawns: as chance has it; `shutdown` likewise.
pub(super) fn full_of_surprises(census: &Arc<Census>) -> impl Service + use<> {
    let run = |census: Counted, cx: Context| async move {
        let _alive = census.enter();
        some_turns().await;
        cx.ready();
        cx.heartbeat();
        let child = cx.clone();
        cx.spawn(async move { child.cancelled().await });
        some_turns().await;
        match fastrand::u8(0..8) {
            0 => return Err("broken"),
            1 => panic!("broken"),
            2 => pending::<()>().await,
            3 => cx.report("only told"),
            4 => cx.spawn(async { panic!("in a task") }),
            5 => cx.request_restart(),
            _ => {}
        }
        cx.cancelled().await;
        some_turns().await;
        Ok(())
    };
    service_fn_with(Arc::clone(census), run).on_shutdown(|_, _| async {
        some_turns().await;
        match fastrand::u8(0..5) {
            0 => Err("cannot close"),
            1 => panic!("cannot close"),
            2 => pending().await,
            _ => Ok(()),
        }
    })
}

/// Ends at once, one way or the other.
pub(super) fn restless(census: &Arc<Census>) -> impl Service + use<> {
    service_fn_with(
        Arc::clone(census),
        |census: Counted, _: Context| async move {
            let _alive = census.enter();
            if fastrand::bool() {
                some_turns().await;
            }
            if fastrand::bool() {
                Ok(())
            } else {
                Err("broken")
            }
        },
    )
}

async fn some_turns() {
    for _ in 0..fastrand::usize(0..3) {
        tokio::task::yield_now().await;
    }
}

pub(super) fn without_delay() -> Settings {
    let policy = RestartPolicy::always().backoff(Backoff::none()).forever();
    short().restart(policy)
}

pub(super) fn impatient() -> Settings {
    without_delay()
        .readiness(Readiness::Explicit)
        .drain(Duration::from_millis(1))
        .watchdog(Duration::from_millis(10))
        .start_timeout(Duration::from_millis(10))
        .stop_timeout(Duration::from_millis(5))
        .shutdown_always(true)
}
