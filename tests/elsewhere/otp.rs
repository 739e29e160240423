//! Supervisors of OTP.

use startstop_core::{Backoff, Exit, Group, Member, OnCompletion, OnFailure};

use crate::support::groups::{Act, Journal, built, on, started, stopped};
use crate::support::{SECOND, idle, within};

#[tokio::test(start_paused = true)]
async fn a_permanent_child_always_comes_back_a_transient_one_after_a_failure_a_temporary_one_never()
{
    let journal = Journal::new();
    let permanent = on(OnFailure::RestartMember, journal.probe("permanent"));
    let temporary = on(OnFailure::Ignore, journal.probe("temporary"));
    let supervisor = started(
        Group::builder("supervisor")
            .with("permanent", permanent.on_completion(OnCompletion::Fail))
            .with(
                "transient",
                on(OnFailure::RestartMember, journal.probe("transient")),
            )
            .with("temporary", temporary.transient()),
    )
    .await;
    journal.take();
    for act in [Act::Complete, Act::Fail] {
        journal.tell("permanent", act);
        idle().await;
        assert_eq!(journal.take(), ["-permanent", "+permanent"]);
    }
    journal.tell("transient", Act::Fail);
    idle().await;
    journal.tell("transient", Act::Complete);
    idle().await;
    assert_eq!(journal.take(), ["-transient", "+transient", "-transient"]);
    journal.tell("temporary", Act::Fail);
    idle().await;
    assert_eq!(journal.take(), ["-temporary"]);
    assert_eq!(supervisor.service().members(), ["permanent", "transient"]);
    stopped(&supervisor).await;
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_significant_child_shuts_its_supervisor_down_and_is_none_for_the_one_above() {
    let journal = Journal::new();
    let significant = Member::new(journal.probe("significant"));
    let inner = Group::builder("inner")
        .with("worker", journal.probe("worker"))
        .then(
            "significant",
            significant.on_completion(OnCompletion::StopGroup),
        );
    let inner = Member::new(inner.build().unwrap()).on_failure(OnFailure::RestartMember);
    let outer = started(
        Group::builder("outer")
            .with("inner", inner)
            .with("other", journal.probe("other")),
    )
    .await;
    journal.take();
    journal.tell("significant", Act::Complete);
    idle().await;
    assert_eq!(journal.take(), ["-significant", "~worker", "-worker"]);
    assert!(outer.is_ready(), "a normal end is no failure");
    stopped(&outer).await;
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_whose_intensity_is_exceeded_ends_its_children_and_comes_back_with_a_fresh_one()
 {
    let journal = Journal::new();
    let inner = Group::builder("inner")
        .backoff(Backoff::none())
        .limit(1, 5 * SECOND)
        .with("first", journal.probe("first"))
        .then(
            "child",
            on(OnFailure::RestartMember, journal.probe("child")),
        )
        .then("last", journal.probe("last"));
    let inner = Member::new(inner.build().unwrap()).on_failure(OnFailure::RestartMember);
    let outer = built(
        Group::builder("outer")
            .limit(1, 60 * SECOND)
            .with("inner", inner),
    );
    within(outer.start()).await.unwrap();
    journal.take();

    let one_life = ["-child", "+child"];
    let next_life = ["-child", "-last", "-first", "+first", "+child", "+last"];
    for _ in 0..2 {
        journal.tell("child", Act::Fail);
        idle().await;
        assert_eq!(journal.moves(), one_life);
        if outer.status().children()[0].restarts() == 0 {
            journal.tell("child", Act::Fail);
            idle().await;
            assert_eq!(journal.moves(), next_life);
        }
    }
    journal.tell("child", Act::Fail);
    assert_eq!(within(outer.wait()).await, Exit::Failed);
    assert_eq!(journal.moves(), ["-child", "-last", "-first"]);
}
