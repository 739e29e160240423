//! How many failures are kept.

use startstop_core::{Failure, Settings, StopError};

use crate::support::{Act, Broken, Probe, Remote, idle, probed};

const TEXTS: [&str; 5] = ["one", "two", "three", "four", "five"];

async fn five_reports(settings: Settings) -> (startstop_core::Runner<Probe>, Remote) {
    let (runner, probe) = probed(settings);
    runner.start().await.unwrap();
    for text in TEXTS {
        probe.tell(Act::with(move |cx| cx.report(Broken(text))));
    }
    idle().await;
    (runner, probe)
}

fn texts(failures: &[Failure]) -> Vec<&'static str> {
    failures
        .iter()
        .map(|f| f.error().downcast_ref::<Broken>().unwrap().0)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_oldest_are_evicted_and_counted() {
    let (runner, _probe) = five_reports(Settings::new().history_capacity(2)).await;
    let history = runner.history();
    assert_eq!(texts(history.entries()), ["four", "five"]);
    assert_eq!(history.evicted(), 3);
    assert_eq!(texts(&runner.errors_list()), ["four", "five"]);
    assert_eq!(runner.status().failures(), 5);
}

#[tokio::test(start_paused = true)]
async fn eviction_goes_over_all_cycles() {
    let (runner, probe) = five_reports(Settings::new().history_capacity(4)).await;
    runner.restart().await.unwrap();
    probe.tell(Act::with(|cx| cx.report(Broken("six"))));
    idle().await;
    let history = runner.history();
    assert_eq!(texts(history.entries()), ["three", "four", "five", "six"]);
    assert_eq!(history.evicted(), 2);
    assert_eq!(texts(&runner.errors_list()), ["six"]);
}

#[tokio::test(start_paused = true)]
async fn sixty_four_are_kept_where_nothing_is_set() {
    let (runner, probe) = probed(Settings::new());
    runner.start().await.unwrap();
    probe.tell(Act::with(|cx| {
        (0..70).for_each(|n: u32| cx.report(n.to_string()));
    }));
    idle().await;
    assert_eq!(runner.history().entries().len(), 64);
    assert_eq!(runner.history().evicted(), 6);
}

#[tokio::test(start_paused = true)]
async fn zero_keeps_none_and_counts_all_as_evicted() {
    let (runner, _probe) = five_reports(Settings::new().history_capacity(0)).await;
    assert!(runner.history().entries().is_empty());
    assert_eq!(runner.history().evicted(), 5);
    assert!(runner.errors_list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_is_known_at_capacity_zero() {
    let (runner, probe) = five_reports(Settings::new().history_capacity(0)).await;
    let last = runner.errors_last().unwrap();
    assert_eq!(last.error().downcast_ref(), Some(&Broken("five")));
    probe.on_cancel(Act::Fail("flush"));
    let Err(StopError::Failed(failure)) = runner.stop().await else {
        panic!()
    };
    assert_eq!(failure.error().downcast_ref(), Some(&Broken("flush")));
    assert_eq!(
        runner.errors_last().unwrap().error().downcast_ref(),
        Some(&Broken("flush"))
    );
    runner.start().await.unwrap();
    assert!(runner.errors_last().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_does_not_change() {
    let (runner, probe) = five_reports(Settings::new().history_capacity(5)).await;
    let (before, same) = (runner.history(), runner.history());
    probe.tell(Act::with(|cx| cx.report(Broken("six"))));
    idle().await;
    assert_eq!(texts(before.entries()), TEXTS);
    assert_eq!(texts(same.entries()), TEXTS);
    assert_eq!(before.evicted(), 0);
    assert_eq!(texts(runner.history().entries())[4], "six");
}
