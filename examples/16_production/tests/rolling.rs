//! A new version is rolled out while customers come and go.

use std::sync::Arc;

use crate::balancer::Balancer;
use crate::clients::Crowd;
use crate::program::Place;
use crate::servers::{Servers, until};

const CUSTOMERS: usize = 12;
/// So many orders have to be taken between two steps.
const SOME: u64 = 100;

/// Waits until the crowd has given some orders more.
async fn some_more(crowd: &Crowd) {
    let from = crowd.taken();
    until("orders are taken", async || crowd.taken() >= from + SOME).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_behind_a_balancer_are_rolled_without_a_failed_request() {
    let servers = Servers::start();
    let places = [
        Arc::new(Place::new(&servers)),
        Arc::new(Place::new(&servers)),
    ];
    let mut copies = vec![places[0].open().await, places[1].open().await];
    let balancer = Balancer::before(&places).await;
    until("the balancer knows both", async || balancer.knows_all()).await;
    let certificates = [&*places[0].certificate, &*places[1].certificate];
    let crowd = Crowd::of(CUSTOMERS, balancer.addr, &certificates);
    some_more(&crowd).await;
    for round in 0..4 {
        let at = round % 2;
        let old = copies.remove(at);
        assert_eq!(old.stop().await, Some(0));
        copies.insert(at, places[at].open().await);
        some_more(&crowd).await;
    }
    assert!(crowd.go_home().await >= 5 * SOME);
    for copy in copies {
        assert_eq!(copy.stop().await, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_takes_the_listener_over_without_a_failed_request() {
    let servers = Servers::start();
    let place = Place::new(&servers);
    let mut copy = place.open().await;
    let crowd = Crowd::of(CUSTOMERS, place.web, &[&place.certificate]);
    some_more(&crowd).await;
    for _ in 0..4 {
        let new = place.run();
        // The old one ends by itself, once the new one is ready.
        assert_eq!(copy.code().await, Some(0));
        copy = new;
        place.until_ready().await;
        some_more(&crowd).await;
    }
    assert!(crowd.go_home().await >= 5 * SOME);
    assert_eq!(copy.stop().await, Some(0));
}
