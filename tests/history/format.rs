//! How failures and the errors that carry them read.

use std::error::Error;

use startstop_core::{Failure, Runner, Settings, StartError, StopError, once, service_fn};

use crate::support::{Act, Broken, probed};

#[derive(Debug, thiserror::Error)]
#[error("cannot open the pool")]
struct Pool(#[source] Broken);

async fn start_error() -> StartError {
    let job = once(async |_cx| Err::<(), _>(Pool(Broken("no route"))));
    Runner::with_settings(job, Settings::new().name("db"))
        .start()
        .await
        .unwrap_err()
}

async fn failure() -> Failure {
    match start_error().await {
        StartError::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn display_says_where_and_does_not_repeat_the_source() {
    let text = failure().await.to_string();
    for part in ["db", "run", "cycle 1"] {
        assert!(text.contains(part), "{part:?} is missing in {text:?}");
    }
    assert!(
        !text.contains("cannot open") && !text.contains("no route"),
        "{text:?}"
    );
    assert!(!text.contains('\n') && !text.ends_with('.'), "{text:?}");
}

#[tokio::test(start_paused = true)]
async fn debug_prints_the_chain_of_sources() {
    let failure = failure().await;
    let text = format!("{failure:?}");
    let (first, rest) = text.split_once('\n').unwrap();
    assert_eq!(first, failure.to_string());
    let pool = rest.find("cannot open the pool").unwrap();
    assert!(pool < rest.find("broken: no route").unwrap(), "{text}");
    assert_eq!(text.matches("cannot open the pool").count(), 1, "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_source_is_the_services_own_error() {
    let failure = failure().await;
    assert!(failure.source().unwrap().is::<Pool>());
    assert!(failure.source().unwrap().source().unwrap().is::<Broken>());
}

#[tokio::test(start_paused = true)]
async fn a_start_error_that_is_a_failure_prints_as_that() {
    let failure = failure().await;
    let error = StartError::Failed(failure.clone());
    assert_eq!(error.to_string(), failure.to_string());
    assert_eq!(format!("{error:?}"), format!("{failure:?}"));
    assert!(error.source().unwrap().is::<Pool>());
    let error = StopError::Failed(failure.clone());
    assert_eq!(error.to_string(), failure.to_string());
    assert_eq!(format!("{error:?}"), format!("{failure:?}"));
    assert!(error.source().unwrap().is::<Pool>());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_says_that_it_was_the_shutdown() {
    let (runner, probe) = probed(Settings::new());
    probe.on_shutdown(Act::Fail("close"));
    runner.start().await.unwrap();
    let text = runner.stop().await.unwrap_err().to_string();
    assert!(text.contains("shutdown"), "{text:?}");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_printed_as_one() {
    let runner = Runner::new(service_fn(async |_cx| std::future::pending::<()>().await));
    runner.start().await.unwrap();
    let error = runner.stop().await.unwrap_err();
    assert!(matches!(error, StopError::TimedOut));
    assert_eq!(format!("{error:?}"), error.to_string());
    assert!(
        runner
            .errors_last()
            .unwrap()
            .to_string()
            .contains("timed out")
    );
}

#[test]
fn errors_can_be_cloned_shared_and_sent() {
    fn check<T: Clone + Error + Send + Sync + 'static>() {}
    check::<Failure>();
    check::<StartError>();
    check::<StopError>();
}
