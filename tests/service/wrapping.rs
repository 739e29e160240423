//! Services around services: what is called of them, and what is not.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use startstop_core::{BoxError, Context, Exit, Runner, Service, Settings, service_fn};
use tokio::sync::Notify;

use crate::support::{SECOND, within};

/// A service without a `shutdown` of its own.
struct Plain;

impl Service for Plain {
    type Error = String;

    async fn run(&self, cx: Context) -> Result<(), String> {
        cx.cancelled().await;
        Ok(())
    }
}

/// Counts the calls of its `shutdown`, and yields that of the service inside.
struct Counted<S> {
    inner: S,
    calls: Arc<AtomicUsize>,
    leave: Notify,
}

impl<S> Counted<S> {
    fn around(inner: S) -> (Self, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        (
            Self {
                inner,
                calls: Arc::clone(&calls),
                leave: Notify::new(),
            },
            calls,
        )
    }
}

impl<S: Service> Service for Counted<S> {
    type Error = S::Error;

    async fn run(&self, _: Context) -> Result<(), S::Error> {
        self.leave.notified().await;
        Ok(())
    }

    fn shutdown(&self, cx: Context) -> impl Future<Output = Result<(), S::Error>> + Send {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.leave.notify_one();
        self.inner.shutdown(cx)
    }
}

async fn is_called_once(service: impl Service, calls: Arc<AtomicUsize>) {
    let runner = Runner::with_settings(service, Settings::new().stop_timeout(SECOND));
    runner.start().await.unwrap();
    within(runner.stop()).await.unwrap();
    assert_eq!(
        (runner.wait().await, calls.load(Ordering::SeqCst)),
        (Exit::Stopped, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn the_shutdown_of_a_wrapper_is_called_once_whatever_it_yields() {
    let (service, calls) = Counted::around(Plain);
    is_called_once(service, calls).await;
    let (service, calls) = Counted::around(Plain);
    is_called_once(service.boxed(), calls).await;
    let (service, calls) = Counted::around(Arc::new(Plain));
    is_called_once(service, calls).await;
    let (service, calls) = Counted::around(Plain.boxed());
    is_called_once(Arc::new(service), calls).await;
    let (service, calls) = Counted::around(service_fn(async |cx: Context| cx.cancelled().await));
    is_called_once(service, calls).await;
    let (service, calls) = Counted::around(Counted::around(Plain).0);
    is_called_once(service, calls).await;
    let (service, calls) = Counted::around(Derived);
    is_called_once(service, calls).await;
}

#[derive(Service)]
#[service(start = serve)]
struct Derived;

impl Derived {
    async fn serve(&self, cx: Context) {
        cx.cancelled().await;
    }
}

#[test]
fn nothing_is_paid_where_there_is_no_shutdown() {
    assert!(!Plain.__has_shutdown());
    assert!(!Plain.boxed().__has_shutdown());
    assert!(!Arc::new(Plain).__has_shutdown());
    assert!(!Arc::new(Arc::new(Plain).boxed()).__has_shutdown());
    assert!(!Derived.__has_shutdown());
    assert!(!service_fn(async |_cx| ()).__has_shutdown());
    assert!(Counted::around(Plain).0.__has_shutdown());
    assert!(Counted::around(Plain).0.boxed().__has_shutdown());
    assert!(Runner::new(Plain).__has_shutdown());
}

/// The error of the service inside stays its own.
#[tokio::test(start_paused = true)]
async fn an_error_passes_through() {
    struct Fails;
    impl Service for Fails {
        type Error = BoxError;
        async fn run(&self, cx: Context) -> Result<(), BoxError> {
            cx.cancelled().await;
            Ok(())
        }
        async fn shutdown(&self, _: Context) -> Result<(), BoxError> {
            Err("cannot close".into())
        }
    }
    let (service, calls) = Counted::around(Arc::new(Fails).boxed());
    let runner = Runner::new(service);
    runner.start().await.unwrap();
    within(runner.stop()).await.unwrap_err();
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}
