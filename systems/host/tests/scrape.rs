//! What a scrape of many members costs in an optimised build, to what as many gauges of the library cost that writes it.

use std::collections::BTreeMap;
use std::time::Duration;

use prometheus_client::encoding::prometheus_text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use startstop_core::{Context, Group, GroupBuilder, Runner, service_fn};
use startstop_host::collector;

const MEMBERS: usize = 10_000;
// From 1.1 to 1.4 on a machine that does other things as well.
const MOST: f64 = 2.0;
const TIMES: u32 = 20;

/// The time that this thread has spent on a processor: what others do beside it does not count.
fn busy() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// The least of many: what shares the processor and its caches makes the others longer.
fn least(mut scrape: impl FnMut()) -> Duration {
    let each = |_| {
        let begin = busy();
        scrape();
        busy().saturating_sub(begin)
    };
    (0..TIMES).map(each).min().unwrap()
}

/// As many gauges of one label as `text` has samples of each of its names.
fn gauges(text: &str) -> Registry {
    let mut registry = Registry::default();
    let mut samples: BTreeMap<&str, usize> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        *samples.entry(line.split('{').next().unwrap()).or_default() += 1;
    }
    for (name, count) in samples {
        let family = Family::<[(&str, String); 1], Gauge>::default();
        for at in 0..count {
            let label = [("path", format!("shop/member-{at}"))];
            family.get_or_create(&label).set(i64::try_from(at).unwrap());
        }
        registry.register(name, "As many as there are of these", family);
    }
    registry
}

#[tokio::test]
async fn a_scrape_of_ten_thousand_members_costs_what_as_many_gauges_cost() {
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
    let scrape = |registry: &Registry| {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        text
    };
    let text = scrape(&registry);
    assert!(text.len() > 1_000 * MEMBERS);
    let gauges = gauges(&text);
    let ours = least(|| assert!(scrape(&registry).len() > text.len() / 2));
    let theirs = least(|| assert!(scrape(&gauges).len() > text.len() / 2));
    let ratio = ours.div_duration_f64(theirs);
    println!(
        "{ours:?} for {} kB, gauges {theirs:?}: {ratio:.2}",
        text.len() / 1_000
    );
    assert!(ratio < MOST, "{ratio:.2}");
    runner.stop().await.unwrap();
}
