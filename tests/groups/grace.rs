//! The longest that a stop can take, as `grace_period` tells it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use startstop_core::{
    BoxError, BoxService, Context, Group, GroupBuilder, Member, Runner, Service, Settings,
    StartStop, service_fn,
};

use crate::support::{SECOND, idle, within};

fn timed(stop: u32, abort: u32) -> Settings {
    Settings::new()
        .stop_timeout(stop * SECOND)
        .abort_timeout(abort * SECOND)
}

fn with(settings: Settings) -> Runner<impl Service> {
    Runner::with_settings(service_fn(async |cx| cx.cancelled().await), settings)
}

fn group() -> GroupBuilder {
    Group::builder("app")
}

fn grace(builder: GroupBuilder) -> Duration {
    Runner::new(builder.build().unwrap()).grace_period()
}

#[test]
fn a_service_takes_its_drain_and_its_timeouts() {
    assert_eq!(with(Settings::new()).grace_period(), 7 * SECOND);
    assert_eq!(
        with(timed(10, 3).drain(4 * SECOND)).grace_period(),
        17 * SECOND
    );
    assert_eq!(
        with(timed(0, 3).drain(4 * SECOND)).grace_period(),
        7 * SECOND
    );
    let forever = Settings::new().stop_timeout(Duration::MAX);
    assert_eq!(with(forever).grace_period(), Duration::MAX);
}

#[test]
fn a_group_takes_the_longest_path_of_its_members() {
    let builder = group()
        .with("db", with(timed(10, 1)))
        .with("cache", with(timed(2, 1)))
        .with("queue", Member::new(with(timed(4, 1))).after(["cache"]))
        .with("http", Member::new(with(timed(6, 1))).after(["db"]))
        .with("mail", Member::new(with(timed(20, 1))).after(["cache"]));
    assert_eq!(grace(builder), 24 * SECOND, "mail, then cache");
    let chain = group()
        .with("a", with(timed(1, 1)))
        .with("b", with(timed(5, 1)));
    assert_eq!(
        grace(chain.then("c", with(timed(2, 1)))),
        9 * SECOND,
        "c, then b beside a"
    );
    assert_eq!(grace(group()), Duration::ZERO);
}

#[test]
fn the_drains_of_members_are_one_and_the_group_comes_before_them() {
    let members = |builder: GroupBuilder| {
        let builder = builder.with("a", with(timed(1, 1).drain(8 * SECOND)));
        builder.then("b", with(timed(1, 1).drain(3 * SECOND)))
    };
    assert_eq!(grace(members(group())), 12 * SECOND);
    let own = Settings::new().drain(2 * SECOND);
    assert_eq!(grace(members(group().settings(own))), 6 * SECOND);
    let none = Settings::new().drain(Duration::ZERO);
    assert_eq!(grace(members(group().settings(none))), 4 * SECOND);
}

#[test]
fn a_group_with_a_stop_timeout_takes_that_and_the_longest_abort() {
    let settings = Settings::new().stop_timeout(10 * SECOND).drain(SECOND);
    let builder = group().settings(settings).with("a", with(timed(30, 1)));
    assert_eq!(grace(builder.then("b", with(timed(30, 4)))), 15 * SECOND);
}

#[test]
fn a_member_that_waits_for_ever_makes_the_group_do_so() {
    let forever = Settings::new().stop_timeout(Duration::MAX);
    let builder = group()
        .with("a", with(forever))
        .then("b", with(timed(1, 1)));
    assert_eq!(grace(builder), Duration::MAX);
}

#[test]
fn a_nested_runner_counts_in_the_grace_period_as_its_parts_do() {
    let inner = || {
        let builder = group().with("a", with(timed(3, 1).drain(2 * SECOND)));
        builder.then("b", with(timed(5, 1))).build().unwrap()
    };
    assert_eq!(Runner::new(inner()).grace_period(), 12 * SECOND);
    assert_eq!(Runner::new(Arc::new(inner())).grace_period(), 12 * SECOND);
    assert_eq!(Runner::new(inner().boxed()).grace_period(), 12 * SECOND);
    assert_eq!(
        Runner::new(Runner::new(inner())).grace_period(),
        12 * SECOND
    );
    let outer = group().with("in", inner()).then("c", with(timed(7, 1)));
    assert_eq!(grace(outer), 20 * SECOND, "the drain, c, b, a");
    assert_eq!(inner().grace(), Some(12 * SECOND));
    assert_eq!(Runner::new(inner()).grace(), Some(12 * SECOND));
    assert_eq!(with(Settings::new()).service().grace(), None);
}

#[test]
fn a_member_that_comes_later_counts_in_the_grace_period() {
    let group = group().with("a", with(timed(3, 1))).build().unwrap();
    let app = Runner::new(group.clone());
    assert_eq!(app.grace_period(), 4 * SECOND);
    let later = Member::new(with(timed(8, 1))).after(["a"]);
    pollster(group.insert("b", later)).unwrap();
    let app: Arc<dyn StartStop> = Arc::new(app);
    assert_eq!(app.grace_period(), 13 * SECOND);
}

/// A future that needs no runtime.
fn pollster<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(future)
}

/// Drives others by itself.
struct Whole(Settings);

impl Service for Whole {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        cx.cancelled().await;
        Ok(())
    }

    fn settings(&self) -> Settings {
        self.0.clone()
    }

    fn grace(&self) -> Option<Duration> {
        Some(40 * SECOND)
    }
}

#[test]
fn a_composite_of_ones_own_says_how_long_its_parts_take() {
    let forever = Settings::new().stop_timeout(Duration::MAX);
    assert_eq!(
        Runner::new(Whole(forever.clone())).grace_period(),
        40 * SECOND
    );
    let drains = forever.clone().drain(SECOND);
    assert_eq!(
        Runner::new(Arc::new(Whole(drains))).grace_period(),
        41 * SECOND
    );
    assert_eq!(
        Runner::new(Whole(forever.clone()).boxed()).grace_period(),
        40 * SECOND
    );
    let short = Runner::new(Whole(Settings::new()).boxed());
    assert_eq!(short.grace_period(), 7 * SECOND, "it is aborted by then");
}

/// Its own word about its parts counts, also when one of them is known to the runner.
#[tokio::test(start_paused = true)]
async fn a_composite_of_ones_own_speaks_for_the_parts_that_it_attaches() {
    struct Attaching(Runner<BoxService>);

    impl Service for Attaching {
        type Error = BoxError;

        async fn run(&self, cx: Context) -> Result<(), BoxError> {
            cx.attach("part", &self.0)?;
            cx.cancelled().await;
            Ok(())
        }

        fn settings(&self) -> Settings {
            Settings::new().stop_timeout(Duration::MAX)
        }

        fn grace(&self) -> Option<Duration> {
            Some(40 * SECOND)
        }
    }

    let whole = Runner::new(Attaching(Runner::new(Whole(Settings::new()).boxed())));
    whole.start().await.unwrap();
    idle().await;
    assert_eq!(whole.status().children().len(), 1);
    assert_eq!(whole.grace_period(), 40 * SECOND);
    whole.stop().await.unwrap();
}

#[derive(Service)]
struct App<A: Service, B: Service> {
    #[service(member)]
    db: Runner<A>,
    #[service(member)]
    http: Runner<B>,
}

#[derive(Service)]
#[service(drain = "1s")]
struct Draining<A: Service>(#[service(member)] Runner<A>);

#[test]
fn a_struct_of_runners_counts_as_a_group() {
    let app = App {
        db: with(timed(3, 1)),
        http: with(timed(5, 1).drain(SECOND)),
    };
    assert_eq!(app.grace(), Some(11 * SECOND));
    assert_eq!(Runner::new(app).grace_period(), 11 * SECOND);
    let app = Draining(with(timed(3, 1).drain(9 * SECOND)));
    assert_eq!(app.grace(), Some(4 * SECOND));
    assert_eq!(Runner::new(app).grace_period(), 5 * SECOND);
}

#[test]
fn ten_thousand_levels_need_no_stack() {
    let test = || {
        let mut inner = group().with("a", with(timed(3, 1))).build().unwrap();
        for _ in 0..10_000 {
            inner = group().with("below", inner).build().unwrap();
        }
        assert_eq!(Runner::new(inner).grace_period(), 4 * SECOND);
    };
    let thread = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(test)
        .unwrap();
    thread.join().expect("it does not overflow");
}

/// A service whose answer to how long it may take is a panic.
struct Unsure(Arc<AtomicBool>);

impl Service for Unsure {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        cx.cancelled().await;
        Ok(())
    }

    async fn shutdown(&self, _: Context) -> Result<(), BoxError> {
        self.0.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn grace(&self) -> Option<Duration> {
        panic!("nobody knows")
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_stops_in_order_although_a_member_panics_when_it_is_asked_how_long_it_takes() {
    let told = Arc::new(AtomicBool::new(false));
    let app = group().with("a", Unsure(Arc::clone(&told)));
    let app = Runner::new(app.then("b", with(Settings::new())).build().unwrap());
    app.start().await.unwrap();
    within(app.stop_within(9 * SECOND)).await.unwrap();
    assert!(told.load(Ordering::Relaxed));
}
