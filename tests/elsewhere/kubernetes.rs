//! Pods of Kubernetes.

use startstop_core::{Exit, Group, Member, OnCompletion, OnFailure, Runner, Settings, service_fn};
use tokio::time::Instant;

use crate::support::groups::{Act, Journal, built, on};
use crate::support::{SECOND, assert_took, idle, within};

fn pod(journal: &Journal) -> Runner<Group> {
    let main = Member::new(journal.probe("main").job()).on_completion(OnCompletion::StopGroup);
    built(
        Group::builder("pod")
            .then(
                "proxy",
                on(OnFailure::RestartMember, journal.probe("proxy").explicit()),
            )
            .then("init", journal.probe("init").job())
            .then("logs", journal.probe("logs"))
            .then("main", main),
    )
}

/// A sidecar is an init container that goes on: the next one begins when its startup probe says yes.
#[tokio::test(start_paused = true)]
async fn sidecars_are_up_before_what_comes_after_them_and_stop_when_the_main_container_is_done() {
    let journal = Journal::new();
    let pod = pod(&journal);
    pod.request_start();
    idle().await;
    assert_eq!(journal.take(), ["+proxy"], "not up yet");
    journal.tell("proxy", Act::Ready);
    idle().await;
    assert_eq!(journal.take(), ["+init"]);
    journal.tell("init", Act::Complete);
    idle().await;
    assert_eq!(journal.take(), ["-init", "+logs", "+main"]);

    journal.tell("proxy", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-proxy", "+proxy"], "it alone");
    journal.tell("proxy", Act::Ready);
    idle().await;

    journal.tell("main", Act::Complete);
    assert_eq!(within(pod.wait()).await, Exit::Completed);
    assert_eq!(journal.moves(), ["-main", "-logs", "-proxy"]);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_grace_that_is_asked_for_later_shortens_the_one_in_progress() {
    let settings = Settings::new().drain(5 * SECOND).stop_timeout(25 * SECOND);
    let deaf = service_fn(async |_cx| std::future::pending::<()>().await);
    let pod = Runner::with_settings(deaf, settings);
    within(pod.start()).await.unwrap();
    idle().await;
    let begun = Instant::now();
    pod.request_stop();
    tokio::time::sleep(SECOND).await;
    within(pod.stop_within(2 * SECOND)).await.unwrap_err();
    assert_took(begun, 3 * SECOND);
}
