//! Groups of goroutines: `errgroup`, `oklog/run`, `suture`.

use std::time::Duration;

use startstop_core::{
    Backoff, BoxError, Cause, Context, Exit, Failure, Group, Member, OnCompletion, OnFailure,
    Permanent, RestartPolicy, Runner, Settings, StartError, once, service_fn,
};
use tokio::sync::oneshot;

use crate::support::groups::{built, quiet};
use crate::support::{Broken, SECOND, within};

/// Works for a while, and says of its stop that it was interrupted.
fn works(seconds: u32, outcome: Result<(), Broken>) -> impl Fn(Context) -> Work + Send + Sync {
    move |cx| {
        Box::pin(async move {
            let work = tokio::time::sleep(seconds * SECOND);
            match cx.run_until_cancelled(work).await {
                Some(()) => outcome,
                None => Err(Broken("interrupted")),
            }
        })
    }
}

type Work = std::pin::Pin<Box<dyn Future<Output = Result<(), Broken>> + Send>>;

/// `errgroup.WithContext`: `Wait` is `start` where all are jobs.
#[tokio::test(start_paused = true)]
async fn the_first_error_cancels_the_others_and_is_the_one_that_is_returned() {
    let group = built(
        Group::builder("group")
            .with("quick", once(works(1, Ok(()))))
            .with("bad", once(works(2, Err(Broken("first")))))
            .with("late", once(works(30, Err(Broken("second"))))),
    );
    let Err(StartError::Failed(failure)) = within(group.start()).await else {
        panic!("one has failed");
    };
    assert_eq!(failure.find(), Some(&Broken("first")));
    assert_eq!(group.errors_last().unwrap().find(), Some(&Broken("first")));
    assert!(group.find("group/late").unwrap().errors_last().is_some());
    let group = built(Group::builder("group").with("quick", once(works(1, Ok(())))));
    within(group.start()).await.unwrap();
    assert_eq!(within(group.wait()).await, Exit::Completed);
}

/// Goroutines of one service: one that it goes on without, and one that it is nothing without.
#[tokio::test(start_paused = true)]
async fn a_task_that_fails_ends_nothing_and_one_that_panics_is_seen_by_who_waits_for_it() {
    let service = service_fn(async |cx| -> Result<(), BoxError> {
        cx.spawn(async { Err::<(), _>(Broken("by the way")) });
        let (tell, outcome) = oneshot::channel::<()>();
        cx.spawn(async move {
            tokio::time::sleep(SECOND).await;
            drop(tell);
            panic!("no more");
        });
        match cx.run_until_cancelled(outcome).await {
            Some(outcome) => Ok(outcome?),
            None => Ok(()),
        }
    });
    let runner = Runner::new(service);
    within(runner.start()).await.unwrap();
    tokio::time::sleep(SECOND / 2).await;
    assert!(runner.is_ready());
    assert_eq!(
        runner.errors_last().unwrap().find(),
        Some(&Broken("by the way"))
    );
    assert_eq!(within(runner.wait()).await, Exit::Failed);
    let causes: Vec<Cause> = runner.errors_list().iter().map(Failure::cause).collect();
    assert_eq!(causes, [Cause::Error, Cause::Panic, Cause::Error]);
}

/// `oklog/run`: actors that end together.
#[tokio::test(start_paused = true)]
async fn the_first_actor_to_return_interrupts_all_and_its_outcome_is_that_of_the_group() {
    for (outcome, exit) in [
        (Ok(()), Exit::Completed),
        (Err(Broken("first")), Exit::Failed),
    ] {
        let actor = |seconds, outcome| {
            Member::new(service_fn(works(seconds, outcome))).on_completion(OnCompletion::StopGroup)
        };
        let group = built(
            Group::builder("group")
                .with("a", actor(1, outcome))
                .with("b", actor(30, Ok(()))),
        );
        within(group.start()).await.unwrap();
        assert_eq!(within(group.wait()).await, exit);
        let interrupted = group.find("group/b").unwrap().errors_last().unwrap();
        assert_eq!(interrupted.find(), Some(&Broken("interrupted")));
        if let Err(first) = outcome {
            assert_eq!(group.errors_last().unwrap().find(), Some(&first));
        }
    }
}

/// `suture`: services that come back after any end, `ErrDoNotRestart` and `ErrTerminateSupervisorTree`.
#[tokio::test(start_paused = true)]
async fn a_service_comes_back_unless_it_says_not_to_and_may_end_the_whole_tree() {
    let policy = RestartPolicy::always()
        .backoff(Backoff::none())
        .limit(5, 30 * SECOND);
    let always = |member: Member| member.settings(Settings::new().restart(policy.clone()));
    let panics = service_fn(async |cx| match cx.attempt() {
        1 => panic!("in the first attempt"),
        2 => Ok(()),
        3 => Err(Broken("in the third")),
        _ => {
            cx.cancelled().await;
            Ok(())
        }
    });
    let done = service_fn(async |_cx| Err::<(), _>(Permanent::new(Broken("done with it"))));
    let ends_all = service_fn(async |cx| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        cx.request_shutdown();
    });
    let inner = Group::builder("inner").with("ends all", always(Member::new(ends_all)));
    let tree = Runner::new(
        Group::builder("tree")
            .with("comes back", always(Member::new(panics)))
            .with(
                "done",
                always(Member::new(done).on_failure(OnFailure::Ignore)),
            )
            .with("other", quiet())
            .with("inner", inner.build().unwrap())
            .build()
            .unwrap(),
    );
    within(tree.start()).await.unwrap();
    assert_eq!(within(tree.wait()).await, Exit::Stopped);
    let attempts = |name| {
        tree.find(&format!("tree/{name}"))
            .unwrap()
            .status()
            .attempts()
    };
    assert_eq!((attempts("comes back"), attempts("done")), (4, 1));
}
