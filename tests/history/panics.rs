//! Panics are failures, wherever they come from.

use std::future::pending;

use startstop_core::{Cause, Context, Exit, Phase, Runner, Settings, State, service_fn};

use crate::support::{Act, assert_panicked, idle, probed};

struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "{}", self.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_run_is_recorded_and_the_runner_goes_on() {
    let (runner, probe) = probed(Settings::new());
    probe.tell(Act::Panic("in run"));
    runner.start().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Failed);
    assert_panicked(&runner.errors_last().unwrap(), Phase::Run, "in run");
    runner.start().await.unwrap();
    assert!(runner.is_running());
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_task_is_recorded_and_ends_nothing() {
    let (runner, probe) = probed(Settings::new());
    probe.tell(Act::spawn(Act::Panic("in a task")));
    runner.start().await.unwrap();
    idle().await;
    assert!(runner.is_running());
    assert_panicked(&runner.errors_last().unwrap(), Phase::Task, "in a task");
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_the_future_exists_is_recorded() {
    fn no_future(cx: Context) -> std::future::Pending<()> {
        drop(cx);
        panic!("no future")
    }
    let runner = Runner::new(service_fn(no_future));
    let _ = runner.start().await;
    runner.wait_for(State::Stopped).await;
    assert_panicked(&runner.errors_last().unwrap(), Phase::Run, "no future");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_drop_of_run_is_recorded() {
    let runner = Runner::new(service_fn(async |_cx| {
        let _bomb = Bomb("drop of run");
        pending::<()>().await;
    }));
    runner.start().await.unwrap();
    idle().await;
    let _ = runner.stop_within(std::time::Duration::ZERO).await;
    assert_eq!(runner.state(), State::Stopped);
    assert_panicked(&runner.errors_last().unwrap(), Phase::Run, "drop of run");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_drop_of_shutdown_is_recorded() {
    let stop = async |_cx| {
        let _bomb = Bomb("drop of shutdown");
        pending::<()>().await;
    };
    let runner = Runner::new(service_fn(async |cx| cx.cancelled().await).on_shutdown(stop));
    runner.start().await.unwrap();
    idle().await;
    runner.stop().await.unwrap_err();
    let list = runner.errors_list();
    let panic = list.iter().find(|f| f.cause() == Cause::Panic).unwrap();
    assert_panicked(panic, Phase::Shutdown, "drop of shutdown");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_drop_of_a_task_is_recorded() {
    let runner = Runner::new(service_fn(async |cx| {
        cx.spawn(async {
            let _bomb = Bomb("drop of a task");
            pending::<()>().await;
        });
        cx.cancelled().await;
    }));
    runner.start().await.unwrap();
    idle().await;
    runner.stop().await.unwrap_err();
    let list = runner.errors_list();
    let panic = list.iter().find(|f| f.cause() == Cause::Panic).unwrap();
    assert_panicked(panic, Phase::Task, "drop of a task");
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_is_no_text_is_a_panic_too() {
    let runner = Runner::new(service_fn(async |_cx| {
        if true {
            std::panic::panic_any(7_u8);
        }
    }));
    let _ = runner.start().await;
    assert_eq!(runner.wait().await, Exit::Failed);
    assert_eq!(runner.errors_last().unwrap().cause(), Cause::Panic);
}
