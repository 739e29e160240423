//! The messages of a watch, and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use startstop_core::{Context, Runner, Settings, service_fn};
use startstop_host::{GrpcHealth, Probes, serve};
use tokio::time::timeout;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus::{NotServing, ServiceUnknown, Serving};

use super::client::{Client, Watch, check, client, watch};
use super::{Api, SECOND, Shop, shop};

#[tokio::test]
async fn a_watch_hears_each_change_and_ends_at_the_stop() {
    let shop = shop(Duration::ZERO).await;
    let mut client = client(shop.addr).await;
    let mut db = watch(&mut client, "shop/db").await.unwrap();
    let mut whole = watch(&mut client, "shop").await.unwrap();
    assert_eq!(db.next().await, Some(NotServing));
    assert_eq!(whole.next().await, Some(NotServing));
    for _ in 0..3 {
        shop.db.store(true, Ordering::Relaxed);
        assert_eq!(db.next().await, Some(Serving));
        assert_eq!(whole.next().await, Some(Serving));
        shop.db.store(false, Ordering::Relaxed);
        assert_eq!(db.next().await, Some(NotServing));
        assert_eq!(whole.next().await, Some(NotServing));
    }
    shop.db.store(true, Ordering::Relaxed);
    assert_eq!(whole.next().await, Some(Serving));
    // The server has 20 s to stop and needs none of them.
    let begin = Instant::now();
    shop.runner.stop().await.unwrap();
    assert!(begin.elapsed() < 10 * SECOND, "{:?}", begin.elapsed());
    assert_eq!(
        whole.next().await,
        Some(NotServing),
        "the last change is told"
    );
    assert_eq!(whole.next().await, None);
}

/// A program that was ready and drains, for 20 s at most, and a client who watches it.
async fn draining() -> (Shop, Client, Watch) {
    let shop = shop(20 * SECOND).await;
    shop.db.store(true, Ordering::Relaxed);
    let mut client = client(shop.addr).await;
    let mut whole = watch(&mut client, "shop").await.unwrap();
    while whole.next().await != Some(Serving) {}
    shop.runner.request_stop();
    assert_eq!(whole.next().await, Some(NotServing));
    (shop, client, whole)
}

#[tokio::test]
async fn a_drain_is_told_at_once_and_watches_go_on_until_the_stop() {
    let (shop, _client, mut whole) = draining().await;
    let begin = Instant::now();
    // The limit is for the drain as well.
    shop.runner.stop_within(SECOND).await.unwrap();
    assert!(begin.elapsed() < 10 * SECOND, "{:?}", begin.elapsed());
    assert_eq!(whole.next().await, None);
}

#[tokio::test]
async fn a_watch_of_what_is_not_there_yet_waits_for_it() {
    let shop = shop(Duration::ZERO).await;
    shop.db.store(true, Ordering::Relaxed);
    let mut client = client(shop.addr).await;
    let mut late = watch(&mut client, "shop/late").await.unwrap();
    assert_eq!(late.next().await, Some(ServiceUnknown));
    let idle = service_fn(async |cx: Context| cx.cancelled().await);
    shop.runner.service().insert("late", idle).await.unwrap();
    loop {
        match late.next().await {
            Some(Serving) => break,
            told => assert_eq!(told, Some(NotServing)),
        }
    }
    shop.runner.service().remove("late").await.unwrap();
    while late.next().await != Some(ServiceUnknown) {}
    shop.runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_watch_hears_of_a_check_without_any_event() {
    let idle = Runner::new(service_fn(async |cx: Context| cx.cancelled().await));
    idle.start().await.unwrap();
    let full = Arc::new(AtomicBool::new(false));
    let disk = Arc::clone(&full);
    let probes = Probes::of(&idle).check("disk", SECOND, move || {
        let full = disk.load(Ordering::Relaxed);
        async move {
            if full {
                Err("the disk is full")
            } else {
                Ok(())
            }
        }
    });
    let api = Api::new(&GrpcHealth::of(probes)).await;
    let addr = api.listener.local_addr().unwrap();
    let api = Runner::new(api);
    api.start().await.unwrap();
    let mut client = client(addr).await;
    let mut disk = watch(&mut client, "disk").await.unwrap();
    let mut whole = watch(&mut client, "").await.unwrap();
    assert_eq!(
        (disk.next().await, whole.next().await),
        (Some(Serving), Some(Serving))
    );
    full.store(true, Ordering::Relaxed);
    assert_eq!(
        (disk.next().await, whole.next().await),
        (Some(NotServing), Some(NotServing))
    );
    api.stop().await.unwrap();
    idle.stop().await.unwrap();
}

/// Holds docs/production.md to what it tells of tonic: one call meets the GOAWAY of a connection that stays open, and is
/// told nothing better.
#[tokio::test]
async fn the_first_call_after_a_goaway_is_cancelled_and_the_next_one_is_answered() {
    // The watch keeps the connection open.
    let (shop, mut client, _whole) = draining().await;
    // The client hears of the stop a moment later.
    let cancelled = async {
        loop {
            if let Err(code) = check(&mut client, "shop").await {
                return code;
            }
        }
    };
    let cancelled = timeout(20 * SECOND, cancelled).await;
    assert_eq!(cancelled.expect("it goes away"), Code::Cancelled);
    assert_eq!(check(&mut client, "shop").await, Ok(NotServing));
    shop.runner.stop_within(SECOND).await.unwrap();
}

/// Holds docs/production.md to what it tells of tonic-health, whose service is told by hand (0.14.5 and 0.14.9).
#[tokio::test]
async fn a_watch_of_the_service_of_tonic_health_holds_a_stop_until_its_name_is_cleared() {
    for clears in [false, true] {
        let listener = Arc::new(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
        let addr = listener.local_addr().unwrap();
        let (mut reporter, service) = tonic_health::server::health_reporter();
        let serving = service_fn(move |cx: Context| {
            let (listener, service) = (Arc::clone(&listener), service.clone());
            async move { serve(cx, &*listener, service).await }
        });
        let limit = if clears { 20 * SECOND } else { SECOND / 2 };
        let settings = Settings::new().stop_timeout(limit);
        let server = Runner::with_settings(serving, settings);
        server.start().await.unwrap();
        let mut client = client(addr).await;
        let mut watch = watch(&mut client, "").await.unwrap();
        assert_eq!(watch.next().await, Some(Serving));
        server.request_stop();
        if clears {
            reporter.clear_service_status("").await;
        }
        let begin = Instant::now();
        let stopped = server.stop().await;
        assert_eq!(stopped.is_ok(), clears, "{stopped:?}");
        assert!(begin.elapsed() < 10 * SECOND, "{:?}", begin.elapsed());
    }
}
