//! Synchronous services that are stopped by a second call.

use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use startstop_core::{Context, Exit, Phase, Runner, Settings, StopError, blocking_fn};

use crate::support::{SECOND, within};

#[tokio::test]
async fn a_second_call_wakes_what_nothing_else_does() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let server = blocking_fn(move |cx| {
        while !cx.is_cancelled() {
            drop(listener.accept());
        }
    })
    .on_shutdown(move |_cx| TcpStream::connect(addr).map(drop));
    let runner = Runner::new(server);
    runner.start().await.unwrap();
    within(runner.stop()).await.unwrap();
    assert_eq!(runner.wait().await, Exit::Stopped);
}

/// Waits on its thread until it is told; says who calls.
fn pair(
    settings: Settings,
    stop: impl Fn(&Sender<()>) -> Result<(), String> + Send + Sync + 'static,
) -> (
    Runner<impl startstop_core::Service>,
    Arc<Mutex<Vec<thread::ThreadId>>>,
) {
    let (tell, told) = channel();
    let told = Mutex::new(told);
    let threads = Arc::new(Mutex::new(Vec::new()));
    let (first, second) = (Arc::clone(&threads), Arc::clone(&threads));
    let service = blocking_fn(move |_cx| {
        first.lock().unwrap().push(thread::current().id());
        let _ = told.lock().unwrap().recv();
    })
    .on_shutdown(move |cx: Context| {
        assert!(!cx.is_cancelled(), "that is its deadline");
        second.lock().unwrap().push(thread::current().id());
        stop(&tell)
    });
    (Runner::with_settings(service, settings), threads)
}

#[tokio::test]
async fn the_stop_function_of_a_blocking_service_is_called_on_another_thread() {
    let (runner, threads) = pair(Settings::new(), |tell| {
        tell.send(()).map_err(|it| it.to_string())
    });
    runner.start().await.unwrap();
    within(runner.stop()).await.unwrap();
    let threads = threads.lock().unwrap();
    assert_eq!(threads.len(), 2);
    assert!(threads[0] != threads[1] && !threads.contains(&thread::current().id()));
}

#[tokio::test]
async fn the_stop_functions_error_and_its_panic_are_recorded_as_those_of_shutdown() {
    for panics in [false, true] {
        let (runner, _threads) = pair(Settings::new(), move |tell| {
            tell.send(()).unwrap();
            assert!(!panics, "out of cheese");
            Err("cannot close".to_owned())
        });
        runner.start().await.unwrap();
        let Err(StopError::Failed(failure)) = within(runner.stop()).await else {
            panic!("it failed")
        };
        assert_eq!(failure.phase(), Phase::Shutdown);
    }
}

#[tokio::test]
async fn a_second_call_that_hangs_is_unresponsive_until_it_ends() {
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let settings = Settings::new()
        .stop_timeout(SECOND / 20)
        .abort_timeout(SECOND / 20);
    let (runner, _threads) = pair(settings, move |tell| {
        tell.send(()).unwrap();
        let _ = held.lock().unwrap().recv();
        Ok(())
    });
    runner.start().await.unwrap();
    assert!(matches!(
        within(runner.stop()).await,
        Err(StopError::Unresponsive(_))
    ));
    drop(release);
    within(runner.wait()).await;
}
