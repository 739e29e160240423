//! Large groups: time grows with members and edges, and with nothing else.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use startstop_core::{Group, GroupBuilder, Member, Runner, service_fn};

use crate::support::within;

fn idle() -> impl startstop_core::Service {
    service_fn(async |cx| cx.cancelled().await)
}

fn star(size: usize) -> GroupBuilder {
    let hub = Group::builder("app").with("hub", idle());
    (0..size).fold(hub, |all, at| {
        all.with(at.to_string(), Member::new(idle()).after(["hub"]))
    })
}

/// One after all others, by name.
fn funnel(size: usize) -> GroupBuilder {
    let all = (0..size).fold(Group::builder("app"), |all, at| {
        all.with(at.to_string(), idle())
    });
    all.with(
        "last",
        Member::new(idle()).after((0..size).map(|at| at.to_string())),
    )
}

fn chain(size: usize) -> GroupBuilder {
    let first = Group::builder("app").with("0", idle());
    (1..size).fold(first, |all, at| {
        all.with(
            at.to_string(),
            Member::new(idle()).after([(at - 1).to_string()]),
        )
    })
}

fn by_then(size: usize) -> GroupBuilder {
    (0..size).fold(Group::builder("app"), |all, at| {
        all.then(at.to_string(), idle())
    })
}

/// Returns how long this thread has had a processor, or the time if the system does not tell: others load the machine too.
fn processor_time() -> Duration {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split(' ').next()?.parse().ok());
    let nanoseconds = nanoseconds.filter(|nanoseconds| *nanoseconds > 0);
    nanoseconds.map_or_else(|| BEGIN.elapsed(), Duration::from_nanos)
}

/// Returns how long it takes from `build` to `Stopped`.
async fn life(builder: GroupBuilder) -> Duration {
    let begun = processor_time();
    let app = Runner::new(builder.build().unwrap());
    within(app.start()).await.unwrap();
    assert!(app.is_ready());
    within(app.stop()).await.unwrap();
    processor_time().saturating_sub(begun)
}

/// Five times the members take at most fifteen times as long: what is quadratic takes twenty-five times.
async fn grows_with_its_size(shape: fn(usize) -> GroupBuilder) {
    life(shape(2_000)).await;
    let mut small = Duration::MAX;
    for _ in 0..3 {
        small = small.min(life(shape(2_000)).await);
    }
    // The least of several runs: others use the caches too.
    let mut large = Duration::MAX;
    for _ in 0..3 {
        large = large.min(life(shape(10_000)).await);
        if large <= small * 15 {
            return;
        }
    }
    panic!("2,000 members take {small:?}, 10,000 take {large:?}");
}

#[tokio::test(start_paused = true)]
async fn a_star_of_ten_thousand_members_starts_and_stops() {
    grows_with_its_size(star).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_after_ten_thousand_starts_and_stops() {
    grows_with_its_size(funnel).await;
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_ten_thousand_members_starts_and_stops() {
    grows_with_its_size(chain).await;
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_each_after_all_before() {
    grows_with_its_size(by_then).await;
}
