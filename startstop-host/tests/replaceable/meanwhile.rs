//! The current service, while a replacement is under way.

use std::sync::Arc;

use startstop_core::{Exit, RestartPolicy, Runner, StartError};

use super::generation::{Act, Shared, begun, parts, started, within};

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_current_one_is_seen_while_its_successor_starts() {
    let shared = Arc::<Shared>::default();
    shared.then.lock().unwrap().push((1, Act::Breaks));
    shared.held.lock().unwrap().push(2);
    let runner = started(&shared).await;
    let call = begun(&runner, "2").await;
    shared.release.notify_one();
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    let replaced = within(call).await.unwrap();
    assert!(matches!(replaced, Err(StartError::Stopped)), "{replaced:?}");
    assert!(parts(&runner).is_empty());
}

#[tokio::test(start_paused = true)]
async fn it_is_not_ready_while_the_current_one_is_not_and_its_successor_starts() {
    let shared = Arc::<Shared>::default();
    shared.then.lock().unwrap().push((1, Act::Breaks));
    shared.held.lock().unwrap().push(2);
    let runner = Runner::new(shared.with(RestartPolicy::on_failure()));
    within(runner.start()).await.unwrap();
    let call = begun(&runner, "2").await;
    let mut events = runner.events();
    shared.release.notify_one();
    while runner.is_ready() {
        within(events.next()).await.unwrap();
    }
    // The policy of the current one brings it back, with the successor still at its start.
    while !runner.is_ready() {
        within(events.next()).await.unwrap();
    }
    assert_eq!(parts(&runner), ["api/1", "api/2"]);
    shared.release.notify_one();
    within(call).await.unwrap().unwrap();
    assert_eq!(parts(&runner), ["api/2"]);
    within(runner.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_the_new_one_is_seen_while_the_old_one_lingers() {
    let shared = Arc::<Shared>::default();
    let acts = [(1, Act::Lingers), (2, Act::Breaks)];
    shared.then.lock().unwrap().extend(acts);
    let runner = started(&shared).await;
    let call = begun(&runner, "2").await;
    shared.release.notify_one();
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    let replaced = within(call).await.unwrap();
    assert!(matches!(replaced, Err(StartError::Stopped)), "{replaced:?}");
    let failure = runner.errors_last().unwrap();
    assert!(failure.to_string().contains("api"), "{failure}");
}
