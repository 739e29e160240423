//! Words for people: what went wrong, and a service in one line.

use startstop_core::{
    Context, Group, GroupBuilder, Member, Readiness, Runner, Service, Settings, State, once,
    service_fn,
};
use tokio_util::sync::CancellationToken;

use super::{SECOND, nothing, shown};

#[test]
fn futures_that_wait_for_a_stop_show_what_they_are() {
    let cx = Context::detached(CancellationToken::new());
    assert!(shown(&cx.cancelled()).starts_with("Cancelled"));
    assert!(shown(&cx.cancelled_owned()).starts_with("CancelledOwned"));
}

#[test]
fn mistakes_in_a_group_are_told_in_words() {
    let twice = Group::builder("app")
        .with("db", service_fn(nothing))
        .with("db", once(nothing));
    let error = twice.build().unwrap_err();
    assert_eq!(shown(&error), r#"there is a member "db" already"#);
}

#[tokio::test]
async fn dependents_that_keep_a_member_from_its_removal_are_named() {
    for (others, said) in [
        (&["http"][..], "http depends"),
        (&["http", "mail"], "http, mail depend"),
    ] {
        let app = Group::builder("app").with("db", once(nothing));
        let after_db = |all: GroupBuilder, name: &&str| {
            all.with(*name, Member::new(once(nothing)).after(["db"]))
        };
        let app = others.iter().fold(app, after_db).build().unwrap();
        let error = app.remove("db").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("member \"db\" cannot be removed: {said} on it")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn lists_of_names_from_outside_stay_on_their_line() {
    const ODD: &str = "d\nb\u{1b}[2J";
    let plain = r"d\nb\u{1b}[2J";
    let circle = Group::builder("app").with(ODD, Member::new(once(nothing)).after([ODD]));
    let error = circle.build().unwrap_err().to_string();
    assert!(error.ends_with(&format!("{plain} -> {plain}")), "{error}");

    let hangs = Member::new(service_fn(async |_cx| std::future::pending::<()>().await))
        .settings(Settings::new().readiness(Readiness::Explicit));
    let late = Settings::new().start_timeout(SECOND);
    let app = Group::builder("app")
        .settings(late)
        .with("db", once(nothing));
    let app = app.with(ODD, hangs.after(["db"])).build().unwrap();
    let error = app.remove("db").await.unwrap_err().to_string();
    assert!(
        error.contains(&format!(": {plain} depends on it")),
        "{error}"
    );

    let app = Runner::new(app);
    app.start().await.unwrap_err();
    let errors: Vec<String> = app
        .errors_list()
        .iter()
        .map(|failure| failure.error().to_string())
        .collect();
    assert!(
        errors
            .iter()
            .any(|error| error.contains("not ready after 1s"))
    );
    assert!(
        errors.iter().all(|error| !error.contains(['\n', '\u{1b}'])),
        "{errors:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn each_cause_has_its_words() {
    let late = || {
        Settings::new()
            .readiness(Readiness::Explicit)
            .start_timeout(SECOND)
    };
    let silent = || Settings::new().watchdog(SECOND);
    let hangs = || service_fn(async |_cx| std::future::pending::<()>().await).boxed();
    let fails = once(async |_cx| Err::<(), _>("no")).boxed();
    let panics = once(async |_cx| panic!("no")).boxed();
    let reports = service_fn(async |cx| cx.report("no")).boxed();
    for (service, settings, said) in [
        (fails, Settings::new(), "failed"),
        (panics, Settings::new(), "panicked"),
        (hangs(), late(), "timed out"),
        (hangs(), silent(), "did not respond"),
        (reports, Settings::new(), "reported an error"),
    ] {
        let runner = Runner::with_settings(service, settings.name("x"));
        let _ = runner.start().await;
        runner.wait().await;
        let text = runner.errors_last().unwrap().to_string();
        assert_eq!(
            text,
            format!("service \"x\" {said} in run (cycle 1, attempt 1)")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_tells_of_a_start_and_of_short_times() {
    let slow = service_fn(async |cx: Context| {
        tokio::time::sleep(SECOND).await;
        cx.ready();
        cx.cancelled().await;
    });
    let settings = Settings::new().name("slow").readiness(Readiness::Explicit);
    let runner = Runner::with_settings(slow, settings);
    runner.request_start();
    runner.wait_for(State::Starting).await;
    assert_eq!(runner.status().to_string(), "slow           starting");
    runner.wait_for(State::Running).await;
    tokio::time::sleep(SECOND / 4).await;
    assert_eq!(
        runner.status().to_string(),
        "slow           running    250ms"
    );
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_status_tells_how_the_last_cycle_ended_if_there_was_one() {
    let runner = Runner::with_settings(once(nothing), Settings::new().name("job"));
    assert_eq!(runner.status().to_string(), "job            stopped");
    runner.start().await.unwrap();
    runner.wait().await;
    assert_eq!(
        runner.status().to_string(),
        "job            stopped    completed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_status_at_the_moment_of_its_start_tells_of_no_time() {
    let idle = service_fn(async |cx: Context| cx.cancelled().await);
    let runner = Runner::with_settings(idle, Settings::new().name("idle"));
    runner.start().await.unwrap();
    assert_eq!(runner.status().to_string(), "idle           running    0s");
    runner.stop().await.unwrap();
}
