//! Processes that share shards out, on a store that keeps what is free.

use std::time::Duration;

use startstop_core::{BoxService, Runner, Service, Settings, service_fn};
use startstop_fleet::{LeaseStore, Shards, Timing};

pub(crate) const TIMING: Timing = Timing {
    lease: Duration::from_secs(2),
    renew_by: Duration::from_millis(1_000),
    retry: Duration::from_millis(400),
    skew: 0.05,
};

pub(crate) fn process<L: LeaseStore>(store: L) -> Runner<Shards<BoxService, L>> {
    let shards = Shards::new("orders", 4, store, |_, _| {
        service_fn(async |cx| cx.cancelled().await).boxed()
    });
    let settings = Settings::new()
        .stop_timeout(Duration::from_millis(400))
        .abort_timeout(Duration::from_millis(400));
    Runner::new(shards.timing(TIMING).settings(settings))
}

pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let eventually = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(60), eventually).await;
    assert!(found.is_ok(), "not in a minute: {what}");
}
