//! A led service that is restarted, by itself or by its handle, goes on in its term.

use std::sync::Arc;
use std::time::Duration;

use startstop_core::{Context, Runner, Settings, StartStop, State, service_fn};
use startstop_fleet::{Leader, LeaseStore, Memory, StopCause, Term};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::lost;
use crate::support::{Cable, ROOMY};

type Runs = mpsc::UnboundedReceiver<(Context, Term)>;

/// A leader whose service hands on what it is run with, each time.
async fn leading(store: Cable) -> (Runner<Leader<impl startstop_core::Service, Cable>>, Runs) {
    let (say, runs) = mpsc::unbounded_channel();
    let make = move |term: Term| {
        let say = say.clone();
        service_fn(move |cx: Context| {
            say.send((cx.clone(), term.clone())).ok();
            async move {
                cx.cancelled().await;
                sleep(Duration::from_millis(100)).await;
            }
        })
    };
    let settings = Settings::new()
        .name("run")
        .stop_timeout(Duration::from_secs(4))
        .abort_timeout(Duration::from_secs(1));
    let leader = Leader::new("invoices", store, make)
        .timing(ROOMY)
        .settings(settings);
    let runner = Runner::new(leader);
    runner.start().await.unwrap();
    (runner, runs)
}

async fn next(runs: &mut Runs) -> (Context, Term) {
    let run = timeout(Duration::from_secs(60), runs.recv()).await;
    run.expect("in a minute").expect("the leader lives")
}

fn led(runner: &Runner<impl startstop_core::Service>) -> Arc<dyn StartStop> {
    runner.find("invoices/run").expect("it is a part")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_led_service_that_is_restarted_goes_on_in_its_term() {
    let store = Memory::new();
    let (runner, mut runs) = leading(Cable::new(&store)).await;
    let (mut cx, first) = next(&mut runs).await;
    let restarts: [fn(&Context, &dyn StartStop); 3] = [
        |_, led| led.request_restart(),
        |cx, _| cx.request_restart(),
        |_, led| {
            led.request_stop();
            led.request_start();
        },
    ];
    for restart in restarts {
        restart(&cx, &*led(&runner));
        let (again, term) = next(&mut runs).await;
        assert_eq!(term.fence(), first.fence());
        assert!(term.is_valid());
        cx = again;
    }
    // It still renews.
    let now = store.read("invoices").await.unwrap();
    store.changed("invoices", now.version()).await.unwrap();
    assert!(runner.service().is_leading());
    runner.stop().await.unwrap();
    assert!(store.read("invoices").await.unwrap().is_free());
    assert!(!first.is_valid());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_does_not_make_a_service_outlive_a_lost_lease() {
    let cable = Cable::new(&Memory::new());
    let (runner, mut runs) = leading(cable.clone()).await;
    let (cx, term) = next(&mut runs).await;
    let led = led(&runner);
    cable.cut();
    timeout(Duration::from_secs(60), cx.cancelled())
        .await
        .expect("in a minute");
    led.request_restart();
    led.wait_for(State::Stopped).await;
    let mut leads = runner.service().leading();
    let ended = leads.wait_for(|leads| !leads);
    timeout(Duration::from_secs(60), ended)
        .await
        .expect("in a minute")
        .unwrap();
    assert!(!term.is_valid());
    let lost = runner
        .history()
        .entries()
        .iter()
        .find_map(|failure| lost(failure.error()));
    assert_eq!(lost.map(|lost| lost.cause), Some(StopCause::OutOfTouch));
    runner.stop().await.unwrap();
}
