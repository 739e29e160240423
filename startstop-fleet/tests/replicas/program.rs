//! A replica as a process of its own: while it leads it writes a line into a journal every few milliseconds.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use startstop_core::{Context, Settings, run, service_fn};
use startstop_fleet::{Leader, LeaseStore, Term, Timing};

/// A failover of some seconds, for tests that wait for one.
pub(crate) const TIMING: Timing = Timing {
    lease: Duration::from_secs(4),
    renew_by: Duration::from_millis(1500),
    retry: Duration::from_millis(500),
    skew: 0.05,
};

/// Runs until it is told to stop. Each line is one write: `FENCE PID`.
pub(crate) async fn replica<L: LeaseStore>(store: L, journal: PathBuf) -> ExitCode {
    let make = move |term: Term| {
        let journal = journal.clone();
        service_fn(move |cx: Context| {
            let (term, journal) = (term.clone(), journal.clone());
            async move {
                let mut journal = OpenOptions::new().append(true).create(true).open(journal)?;
                let line = format!("{} {}\n", term.fence(), std::process::id());
                while !cx.is_cancelled() {
                    journal.write_all(line.as_bytes())?;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Ok::<(), std::io::Error>(())
            }
        })
    };
    let settings = Settings::new()
        .stop_timeout(Duration::from_secs(1))
        .abort_timeout(Duration::from_millis(500));
    run(Leader::new("journal", store, make).timing(TIMING).settings(settings)).await
}
