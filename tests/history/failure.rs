//! The error itself, and where and when it happened.

use std::error::Error;
use std::io;
use std::time::SystemTime;

use startstop_core::{
    Backoff, BoxError, Cause, Failure, Group, Permanent, Phase, RestartPolicy, Runner, Settings,
    StartError, State, WithExitCode, once,
};
use tokio::time::sleep;

use crate::support::{Act, Broken, SECOND, idle, probed};

#[derive(Debug, thiserror::Error)]
enum DbError {
    #[error("cannot connect to {host}")]
    Connect { host: String, source: io::Error },
    #[error("no such table")]
    NoTable,
}

async fn failing<E: Into<BoxError> + 'static>(error: fn() -> E) -> Failure {
    let runner = Runner::new(once(move |_cx| async move { Err::<(), _>(error()) }));
    runner.start().await.unwrap_err();
    runner.errors_last().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_enum_of_ones_own_is_found_by_its_type() {
    let failure = failing(|| DbError::Connect {
        host: "db1".into(),
        source: io::Error::other("refused"),
    })
    .await;
    let error = failure.error().downcast_ref::<DbError>().unwrap();
    assert!(matches!(error, DbError::Connect { host, .. } if host == "db1"));
    let failure = failing(|| DbError::NoTable).await;
    assert!(matches!(
        failure.error().downcast_ref(),
        Some(DbError::NoTable)
    ));
}

#[tokio::test(start_paused = true)]
async fn an_io_error_is_found_by_its_type() {
    let failure = failing(|| io::Error::from(io::ErrorKind::AddrInUse)).await;
    let error = failure.error().downcast_ref::<io::Error>().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test(start_paused = true)]
async fn a_string_is_an_error_of_a_service() {
    assert_eq!(failing(|| "no port").await.error().to_string(), "no port");
    assert_eq!(
        failing(|| String::from("no host"))
            .await
            .error()
            .to_string(),
        "no host"
    );
}

#[tokio::test(start_paused = true)]
async fn a_top_level_anyhow_error_is_opaque_but_reads_well() {
    let failure = failing(|| anyhow::Error::new(DbError::NoTable).context("at start")).await;
    assert!(failure.error().downcast_ref::<DbError>().is_none());
    assert_eq!(failure.error().to_string(), "at start");
    assert_eq!(
        failure.error().source().unwrap().to_string(),
        "no such table"
    );
}

/// The first of this type that is found in the failure of a group in a group whose member fails with this.
async fn found<E: Error + Clone + 'static>(
    error: impl Fn() -> BoxError + Send + Sync + 'static,
) -> Option<E> {
    let job = once(move |_cx| std::future::ready(Err::<(), _>(error())));
    let inner = Group::builder("inner").with("job", job).build().unwrap();
    let outer = Group::builder("outer").with("inner", inner);
    let outer = Runner::new(outer.build().unwrap());
    let Err(StartError::Failed(failure)) = outer.start().await else {
        panic!("it fails");
    };
    failure.find::<E>().cloned()
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Transparent(#[from] BoxError);

#[tokio::test(start_paused = true)]
async fn an_error_is_found_by_its_type_through_groups_and_wrappers() {
    let broken = || Broken("x");
    let whole = Some(broken());
    assert_eq!(found(move || broken().into()).await, whole);
    assert_eq!(found(move || Permanent::new(broken()).into()).await, whole);
    assert_eq!(
        found(move || WithExitCode::new(broken(), 3).into()).await,
        whole
    );
    assert_eq!(
        found(move || io::Error::other(broken()).into()).await,
        whole
    );
    assert_eq!(
        found(move || anyhow::Error::new(broken()).context("in vain").into()).await,
        whole
    );
    let twice = move || Permanent::new(WithExitCode::new(io::Error::other(broken()), 3));
    assert_eq!(found(move || twice().into()).await, whole);
    assert_eq!(
        found(move || Transparent(twice().into()).into()).await,
        whole
    );
    assert_eq!(found::<Broken>(move || "x".into()).await, None);
    let outermost: Option<Failure> = found(move || broken().into()).await;
    assert_eq!(outermost.unwrap().path(), "outer/inner");
}

#[tokio::test(start_paused = true)]
async fn a_boxed_error_is_not_boxed_twice() {
    let failure = failing(|| -> BoxError { Box::new(DbError::NoTable) }).await;
    assert!(matches!(
        failure.error().downcast_ref(),
        Some(DbError::NoTable)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_failure_says_which_service_in_which_cycle_and_attempt() {
    let policy = RestartPolicy::on_failure()
        .backoff(Backoff::none())
        .limit(1, SECOND);
    let (runner, probe) = probed(Settings::new().name("db").restart(policy));
    for _ in 0..2 {
        probe.tell(Act::Fail("one"));
        probe.tell(Act::Fail("two"));
        runner.start().await.unwrap();
        runner.wait_for(State::Stopped).await;
        tokio::time::advance(2 * SECOND).await;
    }
    let history = runner.history();
    let numbers: Vec<_> = history
        .entries()
        .iter()
        .map(|f| (f.cycle(), f.attempt()))
        .collect();
    assert_eq!(numbers, [(1, 1), (1, 2), (2, 1), (2, 2)]);
    assert!(history.entries().iter().all(|f| f.service() == "db"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_says_when_and_how_long_the_attempt_had_run() {
    let before = SystemTime::now();
    let runner = Runner::new(once(async |_cx| {
        sleep(3 * SECOND).await;
        Err::<(), _>(Broken("after a while"))
    }));
    runner.start().await.unwrap_err();
    let failure = runner.errors_last().unwrap();
    assert!(failure.at() >= before && failure.at() <= SystemTime::now());
    assert_eq!(failure.uptime(), 3 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_uptime_is_that_of_the_attempt() {
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(60 * SECOND));
    let (runner, probe) = probed(Settings::new().restart(policy));
    runner.start().await.unwrap();
    tokio::time::advance(10 * SECOND).await;
    probe.tell(Act::Fail("one"));
    runner.wait_for(State::Backoff).await;
    runner.wait_for(State::Running).await;
    tokio::time::advance(4 * SECOND).await;
    probe.tell(Act::Fail("two"));
    runner.wait_for(State::Backoff).await;
    let uptimes: Vec<_> = runner.errors_list().iter().map(Failure::uptime).collect();
    assert_eq!(uptimes, [10 * SECOND, 4 * SECOND]);
}

#[tokio::test(start_paused = true)]
async fn a_report_is_recorded_and_ends_nothing() {
    let (runner, probe) = probed(Settings::new());
    runner.start().await.unwrap();
    probe.tell(Act::with(|cx| cx.report(Broken("slow disk"))));
    probe.tell(Act::with(|cx| cx.report("a text")));
    idle().await;
    assert!(runner.is_running());
    let failures = runner.errors_list();
    assert_eq!(failures.len(), 2);
    assert_eq!(
        failures[0].error().downcast_ref(),
        Some(&Broken("slow disk"))
    );
    assert_eq!(
        (failures[0].phase(), failures[0].cause()),
        (Phase::Run, Cause::Reported)
    );
}
