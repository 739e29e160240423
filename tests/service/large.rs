//! Large futures: each is stored once, and none overflows the stack of a worker.
//!
//! What overflows a stack ends the process, so each test runs itself again as the program that may end.

// Large futures are what these tests are about.
#![allow(clippy::large_futures, clippy::large_stack_arrays)]

use std::future::Future;

use startstop_core::{Context, Runner, Service, every, once, service_fn, service_fn_with};

use crate::support::{SECOND, alone};

const LARGE: usize = 1_000_000;

async fn large<const N: usize>() {
    let mut buffer = [0_u8; N];
    buffer[3] = 1;
    tokio::task::yield_now().await;
    std::hint::black_box(&buffer);
}

fn survives(test: &str, program: impl Future<Output = ()> + Send + 'static) {
    alone(&format!("service::large::{test}"), || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(program);
    });
}

async fn runs(service: impl Service) {
    let runner = Runner::new(service);
    tokio::spawn(async move {
        runner.start().await.unwrap();
        tokio::task::yield_now().await;
        runner.stop().await.unwrap();
    })
    .await
    .unwrap();
}

struct Reader;

impl Service for Reader {
    type Error = String;

    async fn run(&self, cx: Context) -> Result<(), String> {
        let mut buffer = [0_u8; LARGE];
        buffer[3] = 1;
        cx.cancelled().await;
        std::hint::black_box(&buffer);
        Ok(())
    }

    async fn shutdown(&self, _cx: Context) -> Result<(), String> {
        large::<LARGE>().await;
        Ok(())
    }
}

#[test]
fn a_service_is_stored_once() {
    survives("a_service_is_stored_once", runs(Reader));
}

#[test]
fn a_boxed_service_is_stored_once() {
    survives("a_boxed_service_is_stored_once", async {
        runs(Reader.boxed()).await;
    });
}

#[test]
fn a_shared_service_is_stored_once() {
    survives(
        "a_shared_service_is_stored_once",
        runs(std::sync::Arc::new(Reader)),
    );
}

async fn waits(cx: Context) {
    let mut buffer = [0_u8; LARGE];
    buffer[3] = 1;
    cx.cancelled().await;
    std::hint::black_box(&buffer);
}

#[test]
fn functions_are_stored_once() {
    survives("functions_are_stored_once", async {
        runs(service_fn(waits).on_shutdown(|_cx| large::<LARGE>())).await;
        runs(service_fn_with((), |_, cx| waits(cx)).on_shutdown(|_, _| large::<LARGE>())).await;
        runs(once(|_cx| large::<LARGE>())).await;
        runs(every(SECOND, |_cx| large::<LARGE>())).await;
    });
}

/// In another one: to await it moves it once more.
const HALF: usize = LARGE / 2;

#[test]
fn closures_are_stored_once() {
    survives("closures_are_stored_once", async {
        let service = service_fn(async |_cx| large::<HALF>().await);
        runs(service.on_shutdown(async |_cx| large::<HALF>().await)).await;
    });
}

#[test]
fn functions_that_are_wrapped() {
    survives("functions_that_are_wrapped", async {
        let pair = || service_fn(waits).on_shutdown(|_cx| large::<LARGE>());
        runs(pair().boxed()).await;
        runs(std::sync::Arc::new(pair())).await;
        runs(std::sync::Arc::new(once(|_cx| large::<LARGE>())).boxed()).await;
    });
}

#[test]
fn a_task_is_stored_once() {
    survives("a_task_is_stored_once", async {
        runs(service_fn(async |cx: Context| {
            cx.spawn(large::<LARGE>());
            cx.cancelled().await;
        }))
        .await;
    });
}

#[test]
fn a_task_with_a_name_is_stored_once() {
    survives("a_task_with_a_name_is_stored_once", async {
        runs(service_fn(async |cx: Context| {
            cx.spawn_named("reader", large::<LARGE>());
            cx.cancelled().await;
        }))
        .await;
    });
}

#[test]
fn a_future_that_runs_until_it_is_cancelled_is_stored_once() {
    survives(
        "a_future_that_runs_until_it_is_cancelled_is_stored_once",
        async {
            runs(service_fn(async |cx: Context| {
                cx.run_until_cancelled(large::<{ LARGE / 4 }>()).await;
                cx.cancelled().await;
            }))
            .await;
        },
    );
}

#[derive(Service)]
#[service(start = serve, stop = close)]
struct Derived;

impl Derived {
    async fn serve(&self, cx: Context) {
        let mut buffer = [0_u8; LARGE];
        buffer[3] = 1;
        cx.cancelled().await;
        std::hint::black_box(&buffer);
    }

    async fn close(&self) {
        let mut buffer = [0_u8; LARGE];
        buffer[3] = 1;
        tokio::task::yield_now().await;
        std::hint::black_box(&buffer);
    }
}

#[test]
fn a_derived_service_is_stored_once() {
    survives("a_derived_service_is_stored_once", runs(Derived));
}

async fn small(cx: Context) {
    let buffer = [1_u8; 10_000];
    cx.cancelled().await;
    std::hint::black_box(&buffer);
}

#[derive(Service)]
#[service(start = serve)]
struct Small;

impl Small {
    async fn serve(&self, cx: Context) {
        small(cx).await;
    }
}

#[test]
fn futures_are_stored_once() {
    fn size<T>(_: &T) -> usize {
        size_of::<T>()
    }
    let cx = Context::detached(tokio_util::sync::CancellationToken::new());
    let inner = size(&small(cx.clone()));
    assert!(size(&cx.run_until_cancelled(small(cx.clone()))) < inner + 100);
    assert!(size(&Service::run(&service_fn(small), cx.clone())) < inner + 100);
    assert!(size(&Service::run(&once(small), cx.clone())) < inner + 100);
    let inner = size(&Small.serve(cx.clone()));
    assert!(size(&Service::run(&Small, cx.clone())) < inner + 100);
}
