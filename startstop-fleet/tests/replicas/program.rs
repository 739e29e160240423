//! A replica as a process of its own: while it leads it works, a few milliseconds at a time, and each piece of work is an entry
//! of a log that another process keeps.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use startstop_core::{Context, Settings, run, service_fn};
use startstop_fleet::{Leader, LeaseStore, Term, Timing};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

/// A failover of some seconds, for tests that wait for one.
pub(crate) const TIMING: Timing = Timing {
    lease: Duration::from_secs(4),
    renew_by: Duration::from_millis(1500),
    retry: Duration::from_millis(500),
    skew: 0.05,
};

/// Runs until it is told to stop. `log` is the socket of the log.
pub(crate) async fn replica<L: LeaseStore>(store: L, log: PathBuf) -> ExitCode {
    let make = move |term: Term| {
        let log = log.clone();
        service_fn(move |cx: Context| {
            let (term, log) = (term.clone(), log.clone());
            async move { work(&cx, &term, UnixStream::connect(log).await?).await }
        })
    };
    let settings = Settings::new()
        .stop_timeout(Duration::from_secs(1))
        .abort_timeout(Duration::from_millis(500));
    run(Leader::new("journal", store, make)
        .timing(TIMING)
        .settings(settings))
    .await
}

/// Each entry is `FENCE PID FROM TO`, the times in nanoseconds of a clock that all processes of a machine share. It goes on when one is
/// refused: to stop it is up to its leader.
async fn work(cx: &Context, term: &Term, log: UnixStream) -> std::io::Result<()> {
    let (answers, mut log) = log.into_split();
    let mut answers = BufReader::new(answers).lines();
    while !cx.is_cancelled() {
        let from = now();
        tokio::time::sleep(Duration::from_millis(5)).await;
        let entry = format!("{} {} {from} {}\n", term.fence(), std::process::id(), now());
        log.write_all(entry.as_bytes()).await?;
        answers.next_line().await?;
    }
    Ok(())
}

fn now() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    u64::try_from(now.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap()
}
