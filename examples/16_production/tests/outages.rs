//! Servers that are not there yet, and servers that are killed.

use crate::clients::{customer, is_packed, order, url};
use crate::program::{MOTTO, Place};
use crate::servers::{Servers, until};

#[tokio::test]
async fn it_waits_for_its_servers_and_serves_when_they_are_there() {
    let mut servers = Servers::start();
    servers.postgres.kill();
    servers.redis.kill();
    let place = Place::new(&servers);
    let shop = place.run();
    // It is alive, and says which parts it waits for, with the reason.
    place.until_not_ready("shop/db: backoff: ").await;
    place.until_not_ready("shop/cache: backoff: ").await;
    assert_eq!(place.probe("/livez").await.unwrap().0, 200);
    servers.redis.start_again();
    servers.postgres.start_again();
    place.until_ready().await;

    let client = customer(place.web, &place.certificate).build().unwrap();
    let motto = client.get(url(place.web, "/")).send().await.unwrap();
    assert_eq!(motto.text().await.unwrap(), MOTTO);
    let id = order(&client, place.web).await.unwrap();
    until("the order is packed", async || {
        is_packed(&client, place.web, id).await
    })
    .await;
    let unknown = client
        .get(url(place.web, "/orders/999999"))
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.status().as_u16(), 404);
    let (_, metrics) = place.probe("/metrics").await.unwrap();
    assert!(
        metrics.contains("startstop_ready{path=\"shop/db\"} 1"),
        "{metrics}"
    );
    assert_eq!(shop.stop().await, Some(0));
}

#[tokio::test]
async fn a_server_that_is_killed_takes_the_readiness_with_it_and_brings_it_back() {
    let mut servers = Servers::start();
    let place = Place::new(&servers);
    let shop = place.open().await;
    let client = customer(place.web, &place.certificate).build().unwrap();
    let id = order(&client, place.web).await.unwrap();
    until("the order is packed", async || {
        is_packed(&client, place.web, id).await
    })
    .await;

    servers.redis.kill();
    place.until_not_ready("shop/cache: ").await;
    assert_eq!(place.probe("/livez").await.unwrap().0, 200);
    // What does not need it goes on.
    let second = order(&client, place.web).await.unwrap();
    servers.redis.start_again();
    place.until_ready().await;

    servers.postgres.kill();
    place.until_not_ready("shop/db: ").await;
    let refused = order(&client, place.web).await.unwrap_err();
    assert!(refused.starts_with("503"), "{refused}");
    // What is bound to it is settled, or begun again, with it.
    until("the worker is stopped", async || {
        place.status("worker").await["state"] != "running"
    })
    .await;
    assert_eq!(place.probe("/livez").await.unwrap().0, 200);
    servers.postgres.start_again();
    place.until_ready().await;
    let third = order(&client, place.web).await.unwrap();
    for id in [second, third] {
        until("the order is packed", async || {
            is_packed(&client, place.web, id).await
        })
        .await;
    }
    // The failures are counted, and the web server was not restarted for any of them.
    assert!(place.status("db").await["failures"].as_u64() >= Some(1));
    assert!(place.status("cache").await["failures"].as_u64() >= Some(1));
    assert_eq!(place.status("web").await["restarts"], 0);
    assert_eq!(shop.stop().await, Some(0));
}
