//! The metrics, in both formats.

mod same_path;

use std::time::Duration;

use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;
#[cfg(target_os = "linux")]
use startstop_core::GroupBuilder;
use startstop_core::{
    Backoff, Context, Group, RestartPolicy, Runner, Service, Settings, once, service_fn,
};
use startstop_host::collector;

fn idle() -> impl Service {
    service_fn(async |cx: Context| cx.cancelled().await)
}

fn registry<S: Service>(runner: &Runner<S>) -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(collector(runner)));
    registry
}

fn scrape(registry: &Registry) -> String {
    let mut text = String::new();
    prometheus_text::encode(&mut text, registry).unwrap();
    text
}

/// The value of a series, if it is there.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn numbers_of_a_service_are_shown_while_it_tells_them() {
    let tells = service_fn(async |cx: Context| {
        cx.gauge("leading", 1.0);
        cx.gauge("fence", 7.0);
        cx.cancelled().await;
    });
    let runner = Runner::with_settings(tells, Settings::new().name("invoices"));
    let registry = registry(&runner);
    runner.start().await.unwrap();
    while runner.status().gauges().len() < 2 {
        tokio::task::yield_now().await;
    }
    let text = scrape(&registry);
    let gauge = |name| format!("startstop_value{{path=\"invoices\",name=\"{name}\"}}");
    assert_eq!(value(&text, &gauge("leading")), Some(1.0), "{text}");
    assert_eq!(value(&text, &gauge("fence")), Some(7.0), "{text}");
    runner.stop().await.unwrap();
    assert_eq!(value(&scrape(&registry), &gauge("fence")), None);
}

/// `promtool check metrics` refuses such names.
#[tokio::test]
async fn no_family_has_the_name_of_a_type() {
    let runner = Runner::new(idle());
    let text = scrape(&registry(&runner));
    let mut families = 0;
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (family, _) = line.split_once(' ').unwrap();
        let is_type =
            |word| ["gauge", "counter", "histogram", "summary", "untyped"].contains(&word);
        assert!(!family.split('_').any(is_type), "{family}");
        families += 1;
    }
    assert!(families > 10, "{text}");
}

#[tokio::test]
async fn each_family_is_there_for_each_path() {
    let app = Group::builder("shop").with("db", idle()).build().unwrap();
    let runner = Runner::new(app);
    let registry = registry(&runner);
    runner.start().await.unwrap();
    let text = scrape(&registry);
    for path in ["shop", "shop/db"] {
        let series = |name: &str| value(&text, &format!("startstop_{name}{{path=\"{path}\"}}"));
        let ones = [
            "ready",
            "cycles_total",
            "attempts_total",
            "start_duration_seconds_count",
        ];
        for name in ones {
            assert_eq!(series(name), Some(1.0), "{name} {path}\n{text}");
        }
        assert_eq!(series("restarts_total"), Some(0.0));
        for name in ["uptime_seconds", "up_seconds_total", "down_seconds_total"] {
            assert!(series(name).is_some(), "{name} {path}\n{text}");
        }
        let state = |state: &str| {
            value(
                &text,
                &format!("startstop_state{{path=\"{path}\",state=\"{state}\"}}"),
            )
        };
        assert_eq!(
            (state("running"), state("stopped"), state("backoff")),
            (Some(1.0), Some(0.0), Some(0.0))
        );
    }
    let version = format!(
        "startstop_info{{version=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION")
    );
    assert!(text.contains(&version), "{text}");
    let mut open = String::new();
    text::encode(&mut open, &registry).unwrap();
    assert!(
        open.contains("startstop_cycles_total{path=\"shop/db\"} 1\n") && open.ends_with("# EOF\n")
    );
    runner.stop().await.unwrap();
    let text = scrape(&registry);
    assert_eq!(
        value(
            &text,
            "startstop_stop_duration_seconds_count{path=\"shop/db\"}"
        ),
        Some(1.0)
    );
}

#[tokio::test(start_paused = true)]
async fn failures_are_counted_by_phase_and_cause_and_counters_never_go_back() {
    let flaky = service_fn(async |cx: Context| {
        cx.report("row 7 is odd");
        tokio::time::sleep(Duration::from_secs(1)).await;
        Err::<(), _>("connection lost")
    });
    let policy = RestartPolicy::on_failure()
        .backoff(Backoff::constant(Duration::from_secs(1)))
        .forever();
    let runner = Runner::with_settings(flaky, Settings::new().name("db").restart(policy));
    let registry = registry(&runner);
    runner.start().await.unwrap();
    let mut before = (0.0, 0.0, 0.0);
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let text = scrape(&registry);
        let series = |name: &str, labels: &str| {
            value(&text, &format!("startstop_{name}{{path=\"db\"{labels}}}")).unwrap()
        };
        let now = (
            series("failures_total", ",phase=\"run\",cause=\"error\""),
            series("failures_total", ",phase=\"run\",cause=\"reported\""),
            series("restarts_total", ""),
        );
        assert!(
            now.0 > before.0 && now.1 > before.1 && now.2 > before.2,
            "{now:?} after {before:?}"
        );
        before = now;
    }
    drop(runner.stop().await);
}

#[tokio::test]
async fn the_series_of_a_member_go_with_it() {
    let runner = Runner::new(Group::builder("shop").with("db", idle()).build().unwrap());
    let registry = registry(&runner);
    runner.start().await.unwrap();
    runner
        .service()
        .insert("job", once(async |_cx| ()))
        .await
        .unwrap();
    assert!(scrape(&registry).contains("shop/job"));
    runner.service().remove("job").await.unwrap();
    assert!(!scrape(&registry).contains("shop/job"));
    runner.stop().await.unwrap();
    drop(runner);
    assert_eq!(scrape(&registry), "", "it does not keep the service");
}

#[tokio::test]
async fn labels_are_escaped() {
    let runner = Runner::new(Group::builder("a\"b\\c\nd").build().unwrap());
    let registry = registry(&runner);
    let text = scrape(&registry);
    assert!(
        text.contains("startstop_ready{path=\"a\\\"b\\\\c\\nd\"} 0\n"),
        "{text}"
    );
}

#[tokio::test]
async fn events_between_two_scrapes_are_counted_however_many_they_are() {
    let runner = Runner::with_settings(
        once(async |_cx| Err::<(), _>("no")),
        Settings::new().name("job"),
    );
    let registry = registry(&runner);
    for _ in 0..10_000 {
        runner.start().await.unwrap_err();
    }
    let text = scrape(&registry);
    let failed = value(
        &text,
        "startstop_failures_total{path=\"job\",phase=\"run\",cause=\"error\"}",
    );
    assert_eq!(failed, Some(10_000.0));
}

#[tokio::test]
async fn events_that_come_while_the_runtime_has_no_time_are_counted() {
    let reports = once(async |cx| (0..20_000).for_each(|number| cx.report(format!("{number}"))));
    let runner = Runner::with_settings(reports, Settings::new().name("job"));
    let registry = registry(&runner);
    runner.start().await.unwrap();
    let failed = value(
        &scrape(&registry),
        "startstop_failures_total{path=\"job\",phase=\"run\",cause=\"reported\"}",
    );
    assert_eq!(failed, Some(20_000.0));
}

/// The time that this thread has spent on a processor: what others do beside it does not count.
#[cfg(target_os = "linux")]
fn busy() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// Returns the processor time of so many scrapes of so many members.
#[cfg(target_os = "linux")]
async fn cost_of_scrapes(members: usize, times: usize) -> Duration {
    let add = |app: GroupBuilder, at| app.with(format!("member-{at}"), idle());
    let app = (0..members).fold(Group::builder("shop"), add);
    let runner = Runner::new(app.build().unwrap());
    let registry = registry(&runner);
    runner.start().await.unwrap();
    let last = format!("member-{}\"", members - 1);
    assert!(scrape(&registry).contains(&last));
    let begin = busy();
    (0..times).for_each(|_| assert!(!scrape(&registry).is_empty()));
    let cost = busy().saturating_sub(begin);
    runner.stop().await.unwrap();
    cost
}

/// How long one takes in an optimised build is held by a test in systems/host.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_scrape_costs_as_much_as_there_are_members() {
    let few = cost_of_scrapes(500, 40).await;
    let many = cost_of_scrapes(10_000, 2).await;
    assert!(
        many < 4 * few,
        "{few:?} for 40 of 500 members, and {many:?} for 2 of 10,000"
    );
}

/// The buckets of the starts of a service: upper bound and count, in the order of the text.
fn buckets(text: &str, path: &str) -> Vec<(String, f64)> {
    let path = format!("path=\"{path}\"");
    let lines = text.lines().filter_map(|line| {
        let labels = line.strip_prefix("startstop_start_duration_seconds_bucket{")?;
        let (labels, count) = labels.rsplit_once("} ")?;
        let mut labels = labels.split(',');
        let bound = labels.clone().find_map(|label| label.strip_prefix("le="))?;
        let bucket = (bound.trim_matches('"').to_owned(), count.parse().unwrap());
        labels.any(|label| label == path).then_some(bucket)
    });
    lines.collect()
}

#[tokio::test]
async fn a_histogram_ends_with_all_that_was_counted() {
    let runner = Runner::with_settings(idle(), Settings::new().name("db"));
    let registry = registry(&runner);
    for _ in 0..3 {
        runner.start().await.unwrap();
    }
    let mut open = String::new();
    text::encode(&mut open, &registry).unwrap();
    for text in [scrape(&registry), open] {
        let buckets = buckets(&text, "db");
        let bounds: Vec<f64> = buckets
            .iter()
            .map(|(bound, _)| bound.trim_start_matches('+').parse().unwrap())
            .collect();
        let expected = [
            0.005,
            0.025,
            0.1,
            0.5,
            2.0,
            10.0,
            30.0,
            120.0,
            f64::INFINITY,
        ];
        assert_eq!(bounds, expected, "{text}");
        assert!(buckets.is_sorted_by(|one, next| one.1 <= next.1), "{text}");
        assert_eq!(buckets.last().unwrap(), &("+Inf".to_owned(), 3.0));
    }
    runner.stop().await.unwrap();
}
