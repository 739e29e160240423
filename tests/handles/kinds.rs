//! The kinds of the public types: `Send`, `Sync`, `'static`, `Debug`, and behind a trait object.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use startstop_core::{
    Backoff, BoxService, Context, Exit, Failure, History, PanicError, Permanent, RestartPolicy,
    Runner, Settings, StartError, StartStop, State, StateWatch, Status, StopError, Unresponsive,
    WeakRunner, service_fn,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Census, obedient, within};

fn is_ordinary<T: Send + Sync + Debug + 'static>() {}
fn is_cloneable<T: Clone>() {}
fn is_error<T: std::error::Error + Send + Sync + Clone + 'static>() {}
fn is_send<T: Send>(_: T) {}
fn is_static<T: 'static>(_: T) {}

#[test]
fn public_types_go_anywhere() {
    is_ordinary::<Runner<BoxService>>();
    is_ordinary::<WeakRunner<BoxService>>();
    is_ordinary::<StateWatch>();
    is_ordinary::<Context>();
    is_ordinary::<Settings>();
    is_ordinary::<(RestartPolicy, Backoff, State, Exit)>();
    is_ordinary::<(History, Status, Failure)>();
    is_ordinary::<(Permanent, BoxService)>();
    is_ordinary::<Arc<dyn StartStop>>();
    is_cloneable::<(
        Runner<BoxService>,
        WeakRunner<BoxService>,
        StateWatch,
        Context,
    )>();
    is_cloneable::<(Settings, RestartPolicy, Backoff, History, Status)>();
    is_error::<StartError>();
    is_error::<StopError>();
    is_error::<Failure>();
    is_error::<PanicError>();
    is_error::<Unresponsive>();
}

#[test]
fn public_futures_go_to_any_thread() {
    let runner = Runner::new(service_fn(|_| async {}).boxed_up());
    let token = CancellationToken::new();
    let cx = Context::detached(token.clone());
    is_send((
        runner.start(),
        runner.stop(),
        runner.restart(),
        runner.ensure_running(),
    ));
    is_send((
        runner.start_with(&token),
        runner.stop_within(Duration::ZERO),
    ));
    is_send((runner.wait(), runner.wait_for(State::Running)));
    is_send(runner.subscribe().changed());
    is_send((
        cx.cancelled(),
        cx.cancelled_owned(),
        cx.draining(),
        cx.reloaded(),
    ));
    is_send(cx.run_until_cancelled(async {}));
    is_static(cx.cancelled_owned());
}

trait BoxedUp {
    fn boxed_up(self) -> BoxService;
}

impl<S: startstop_core::Service> BoxedUp for S {
    fn boxed_up(self) -> BoxService {
        self.boxed()
    }
}

#[test]
fn debug_tells_the_name_and_the_state() {
    let runner = Runner::with_settings(service_fn(|_| async {}), Settings::new().name("mail"));
    let text = format!("{runner:?}");
    assert!(text.contains("mail") && text.contains("Stopped"), "{text}");
    assert!(format!("{:?}", runner.subscribe()).contains("Stopped"));
    assert!(!format!("{:?}", runner.downgrade()).is_empty());
    let erased: Arc<dyn StartStop> = Arc::new(runner);
    assert!(format!("{erased:?}").contains("mail"));
}

#[tokio::test]
async fn everything_is_there_behind_a_trait_object() {
    within(async {
        let census = Census::new();
        let settings = Settings::new().name("erased");
        let erased: Arc<dyn StartStop> =
            Arc::new(Runner::with_settings(obedient(&census), settings));
        assert_eq!((erased.name(), erased.state()), ("erased", State::Stopped));
        erased.start().await.expect("ready at once");
        erased.ensure_running().await.expect("it runs");
        assert!(erased.is_running() && erased.is_ready());
        erased.restart().await.expect("ready at once");
        erased.request_reload();
        let (waits, mut states) = (erased.wait(), erased.subscribe());
        erased.request_stop();
        assert_eq!(waits.await, Exit::Stopped);
        while states.changed().await != Some(State::Stopped) {}
        erased.wait_for(State::Stopped).await;
        erased
            .start_with(&CancellationToken::new())
            .await
            .expect("ready at once");
        erased
            .stop_within(Duration::from_secs(9))
            .await
            .expect("an obedient service stops");
        erased.request_start();
        erased.request_restart();
        erased.stop().await.expect("an obedient service stops");
        assert!(erased.errors_last().is_none() && erased.errors_list().is_empty());
        assert!(erased.history().entries().is_empty() && erased.uptime().is_zero());
        assert_eq!(erased.status().name(), "erased");
        census.assert_settled();
    })
    .await;
}

#[tokio::test]
async fn the_last_trait_object_that_is_dropped_stops_the_service() {
    within(async {
        let census = Census::new();
        let erased: Arc<dyn StartStop> = Arc::new(Runner::new(obedient(&census)));
        erased.start().await.expect("ready at once");
        crate::support::until(|| census.alive() == 1).await;
        drop(erased);
        crate::support::until(|| census.alive() == 0).await;
    })
    .await;
}
