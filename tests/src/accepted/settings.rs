//! Every key of `#[service(..)]`, in each of its forms.

#![deny(warnings, missing_docs)]

use std::time::Duration;

use startstop_core::{Backoff, BoxError, Readiness, RestartPolicy, Service};

const N: usize = 2;
const NAME: &str = "second";
const HOUR: Duration = Duration::from_secs(3600);

/// Literals and names.
#[derive(Debug, Service)]
#[service(start = serve, error = BoxError)]
#[service(
    name = "first",
    readiness = explicit,
    start_timeout = "250ms",
    stop_timeout = "10s",
    abort_timeout = "2m",
    drain = "0s",
    shutdown_always = true,
    history_capacity = 8,
    restart = on_failure,
    watchdog = "1h",
)]
pub struct First;

impl First {
    async fn serve(&self) {}
}

/// Expressions, also of the fields.
#[derive(Debug, Service)]
#[service(
    start = serve,
    name = NAME,
    readiness = Readiness::Completion,
    start_timeout = HOUR,
    stop_timeout = self.patience * 2,
    abort_timeout = Duration::MAX,
    drain = Duration::from_millis(if N > 1 { 2 } else { 3 }),
    shutdown_always = cfg!(unix) || true,
    history_capacity = usize::from(u8::MAX),
    restart = RestartPolicy::always().backoff(Backoff::none()).retry_if(|_| false),
    watchdog = self.patience,
)]
pub struct Second {
    patience: Duration,
}

impl Second {
    async fn serve(&self) {}
}

/// Runs it.
pub fn main() {
    let first = First.settings();
    assert_eq!(first.get_name(), Some("first"));
    assert_eq!(first.get_readiness(), Some(Readiness::Explicit));
    assert_eq!(first.get_start_timeout(), Some(Duration::from_millis(250)));
    assert_eq!(first.get_stop_timeout(), Some(Duration::from_secs(10)));
    assert_eq!(first.get_abort_timeout(), Some(Duration::from_secs(120)));
    assert_eq!(first.get_drain(), Some(Duration::ZERO));
    assert_eq!(first.get_shutdown_always(), Some(true));
    assert_eq!(first.get_history_capacity(), Some(8));
    assert!(first.get_restart().is_some());
    assert_eq!(first.get_watchdog(), Some(HOUR));

    let second = Second {
        patience: Duration::from_secs(1),
    }
    .settings();
    assert_eq!(second.get_name(), Some("second"));
    assert_eq!(second.get_readiness(), Some(Readiness::Completion));
    assert_eq!(second.get_start_timeout(), Some(HOUR));
    assert_eq!(second.get_stop_timeout(), Some(Duration::from_secs(2)));
    assert_eq!(second.get_abort_timeout(), Some(Duration::MAX));
    assert_eq!(second.get_drain(), Some(Duration::from_millis(2)));
    assert_eq!(second.get_shutdown_always(), Some(true));
    assert_eq!(second.get_history_capacity(), Some(255));
    assert!(second.get_restart().is_some());
    assert_eq!(second.get_watchdog(), Some(Duration::from_secs(1)));
}
