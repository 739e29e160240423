//! The members: most behave, some do not.

use std::io;
use std::time::Duration;

use startstop_core::{
    Backoff, Context, Member, OnFailure, Readiness, RestartPolicy, Runner, Service, Settings,
    blocking_fn, every, service_fn,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// How many failures a member keeps.
pub(crate) const HISTORY: usize = 4;

pub(crate) fn name(at: usize) -> String {
    format!("member-{at}")
}

fn millis(most: u64) -> Duration {
    Duration::from_millis(fastrand::u64(1..most))
}

/// The kind of the member with this number; the kinds go round.
pub(crate) fn new(at: usize, dependency: Option<String>) -> Member {
    let member = match at % 20 {
        0 | 1 => made(at, service_fn(listens)),
        2 => made(at, service_fn(fails)),
        3 => made(at, service_fn(panics)),
        4 => made(at, service_fn(hangs)),
        5 => made(at, service_fn(is_late)),
        6 => made(at, service_fn(spawns)),
        7 => made(at, every(Duration::from_millis(20), async |_| ())),
        8 if at % 200 == 8 => made(at, blocking_fn(blocks)),
        9 => made(at, service_fn(completes)),
        10 => made(at, service_fn(waits).on_shutdown(fails_to_stop)),
        _ => made(
            at,
            service_fn(waits).on_shutdown(async |_| sleep(millis(5)).await),
        ),
    };
    let on_failure = match at % 7 {
        // A dependent member would be restarted for ever after its dependency has failed for good.
        _ if dependency.is_some() => OnFailure::Ignore,
        0 => OnFailure::RestartDependents,
        1 | 2 => OnFailure::RestartMember,
        _ => OnFailure::Ignore,
    };
    member.on_failure(on_failure).after(dependency)
}

fn made(at: usize, service: impl Service) -> Member {
    let settings = Settings::new()
        .stop_timeout(Duration::from_millis(20))
        .start_timeout(Duration::from_millis(20))
        .history_capacity(HISTORY);
    let settings = match at % 20 {
        0 | 1 | 5 => settings.readiness(Readiness::Explicit),
        _ => settings,
    };
    let backoff = Backoff::exponential(Duration::from_millis(5)).max(Duration::from_millis(50));
    let policy = match at % 3 {
        0 => RestartPolicy::never(),
        _ => RestartPolicy::on_failure().backoff(backoff).forever(),
    };
    Member::new(Runner::with_settings(
        Reporting(service),
        settings.restart(policy),
    ))
}

/// Fills the history from the first run on, so that it does not grow later.
struct Reporting<S>(S);

impl<S: Service> Service for Reporting<S> {
    type Error = S::Error;

    async fn run(&self, cx: Context) -> Result<(), S::Error> {
        for _ in 0..HISTORY {
            cx.report("begun");
        }
        self.0.run(cx).await
    }

    async fn shutdown(&self, cx: Context) -> Result<(), S::Error> {
        self.0.shutdown(cx).await
    }
}

async fn waits(cx: Context) {
    cx.cancelled().await;
}

/// Serves its own clients: real descriptors.
async fn listens(cx: Context) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    cx.ready();
    for _ in 0..2 {
        let client = TcpStream::connect(listener.local_addr()?).await?;
        let (server, _) = listener.accept().await?;
        let inner = cx.clone();
        cx.spawn(async move {
            inner.cancelled().await;
            drop((client, server));
        });
    }
    cx.cancelled().await;
    Ok(())
}

async fn fails(cx: Context) -> Result<(), &'static str> {
    match cx.run_until_cancelled(sleep(millis(100))).await {
        Some(()) => Err("by chance"),
        None => Ok(()),
    }
}

async fn panics(cx: Context) {
    if cx.run_until_cancelled(sleep(millis(100))).await.is_some() {
        // `resume_unwind` passes the panic hook, which would print.
        std::panic::resume_unwind(Box::new("by chance"));
    }
}

async fn hangs(_cx: Context) {
    std::future::pending::<()>().await;
}

async fn is_late(cx: Context) {
    sleep(millis(25)).await;
    cx.ready();
    cx.cancelled().await;
}

/// Tasks of all kinds.
async fn spawns(cx: Context) {
    for at in 0..8 {
        let inner = cx.clone();
        cx.spawn(async move {
            match at {
                0 => std::future::pending().await,
                1 => return Err("by chance"),
                2..5 => sleep(millis(50)).await,
                _ => inner.cancelled().await,
            }
            Ok(())
        });
    }
    cx.cancelled().await;
}

async fn completes(cx: Context) {
    cx.run_until_cancelled(sleep(millis(200))).await;
}

async fn fails_to_stop(_cx: Context) -> Result<(), &'static str> {
    sleep(millis(5)).await;
    if fastrand::bool() {
        Err("by chance")
    } else {
        Ok(())
    }
}

#[allow(clippy::needless_pass_by_value)] // A blocking service is called like this.
fn blocks(cx: Context) {
    while !cx.cancelled_blocking(Duration::from_millis(50)) {}
}
