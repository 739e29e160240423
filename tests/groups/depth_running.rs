//! Groups of ten thousand levels that run, and of fifty thousand members: none needs more of a stack than another.

use std::time::Duration;

use startstop_core::{Context, Group, Runner, Settings, State, service_fn};

use crate::support::within;

const LEVELS: usize = 10_000;

fn nested(settings: &Settings) -> Runner<Group> {
    let leaf = service_fn(async |cx: Context| cx.cancelled().await);
    let mut group = Group::builder("leaf").with("a", leaf).build().unwrap();
    for _ in 0..LEVELS {
        group = Group::builder("app").with("below", group).build().unwrap();
    }
    Runner::with_settings(group, settings.clone())
}

fn on_a_small_stack(test: impl Future<Output = ()> + Send + 'static) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().start_paused(true).build().unwrap();
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let thread = thread.spawn(move || runtime.block_on(test)).unwrap();
    thread.join().expect("it does not overflow");
}

#[test]
fn ten_thousand_levels_run_are_looked_at_drained_and_stopped() {
    on_a_small_stack(async {
        let app = nested(&Settings::new().drain(Duration::from_secs(1)));
        within(app.start()).await.unwrap();
        let path = format!("app{}/a", "/below".repeat(LEVELS));
        let leaf = app.find(&path).expect("it is there");
        assert_eq!(
            (leaf.state(), app.status().children().len()),
            (State::Running, 1)
        );
        app.request_stop();
        assert!(!leaf.is_ready(), "it drains");
        within(app.stop()).await.unwrap();
        within(app.start()).await.unwrap();
        within(app.stop_within(Duration::from_secs(60)))
            .await
            .unwrap();
        assert_eq!(leaf.state(), State::Stopped);
        drop(app);
    });
}

#[test]
fn ten_thousand_levels_that_run_are_dropped() {
    on_a_small_stack(async {
        let app = nested(&Settings::new());
        within(app.start()).await.unwrap();
        drop(app);
    });
}

#[test]
fn fifty_thousand_members_share_the_time_of_a_stop() {
    on_a_small_stack(async {
        let mut builder = Group::builder("app");
        for at in 0..50_000 {
            let member = service_fn(async |cx: Context| cx.cancelled().await);
            builder = builder.then(format!("m{at}"), member);
        }
        let app = Runner::new(builder.build().unwrap());
        within(app.start()).await.unwrap();
        assert_eq!(app.grace_period(), Duration::from_secs(7 * 50_000));
        within(app.stop_within(Duration::from_secs(60)))
            .await
            .unwrap();
        assert_eq!(app.state(), State::Stopped);
        drop(app);
    });
}
