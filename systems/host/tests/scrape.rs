//! What a scrape of many members costs in an optimised build.

use std::time::Duration;

use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::registry::Registry;
use startstop_core::{Context, Group, GroupBuilder, Runner, service_fn};
use startstop_host::collector;

const MEMBERS: usize = 10_000;
const MOST: Duration = Duration::from_millis(50);
const TIMES: u32 = 20;

/// The time that this thread has spent on a processor: what others do beside it does not count.
fn busy() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_scrape_of_ten_thousand_members_takes_less_than_fifty_milliseconds() {
    let add = |app: GroupBuilder, at| {
        app.with(
            format!("member-{at}"),
            service_fn(async |cx: Context| cx.cancelled().await),
        )
    };
    let app = (0..MEMBERS).fold(Group::builder("shop"), add);
    let runner = Runner::new(app.build().unwrap());
    let mut registry = Registry::default();
    registry.register_collector(Box::new(collector(&runner)));
    runner.start().await.unwrap();
    let mut text = String::new();
    let mut scrape = || {
        text.clear();
        encode(&mut text, &registry).unwrap();
        text.len()
    };
    let length = scrape();
    assert!(length > 1_000 * MEMBERS);
    // One of them is enough: what shares the processor and its caches makes the others longer.
    let mut each = (0..TIMES).map(|_| {
        let begin = busy();
        assert!(scrape() > length / 2);
        let each = busy().saturating_sub(begin);
        println!("{each:?}");
        each
    });
    assert!(each.any(|each| each < MOST), "all of them take longer");
    runner.stop().await.unwrap();
}
