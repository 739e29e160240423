//! How it ends: the exit codes, the last lines of the log, and the end without its servers.

use std::net::TcpListener;
use std::time::Instant;

use rustix::process::Signal;

use crate::program::Place;
use crate::servers::{LIMIT, Servers};

#[tokio::test]
async fn it_ends_in_order_without_its_servers_and_in_the_middle_of_a_start() {
    let mut servers = Servers::start();
    let place = Place::new(&servers);
    let shop = place.open().await;
    servers.postgres.kill();
    servers.redis.kill();
    // Both are known to be away: what fails only after the stop has begun would be a failure of the stop.
    place.until_not_ready("shop/db: backoff: ").await;
    place.until_not_ready("shop/cache: backoff: ").await;
    assert_eq!(shop.stop().await, Some(0), "{}", place.log());
    let log = place.log();
    // The log is written by a thread of its own: `on_exit` waits for it.
    assert!(
        log.lines()
            .last()
            .is_some_and(|line| line.contains("stopped")),
        "{log}"
    );

    let shop = place.run();
    place.until_not_ready("shop/db: backoff: ").await;
    let begin = Instant::now();
    assert_eq!(shop.stop().await, Some(0));
    assert!(
        begin.elapsed() < LIMIT / 2,
        "a stop during a backoff is immediate"
    );
}

#[tokio::test]
async fn what_is_wrong_from_the_beginning_on_ends_it_with_one() {
    let servers = Servers::start();
    let place = Place::new(&servers);
    let taken = TcpListener::bind(place.web).unwrap();
    assert_eq!(place.run().code().await, Some(1));
    assert!(
        place.log().contains("shop: Address already in use"),
        "{}",
        place.log()
    );
    drop(taken);
    place.write("moto = \"\"");
    assert_eq!(place.run().code().await, Some(1));
    assert!(
        place.log().contains("unknown field `moto`"),
        "{}",
        place.log()
    );
}

#[tokio::test]
async fn a_second_signal_aborts() {
    let servers = Servers::start();
    let place = Place::new(&servers);
    let mut shop = place.open().await;
    shop.signal(Signal::INT);
    // The drain has begun.
    place.until_not_ready("shop/").await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    shop.signal(Signal::INT);
    assert_eq!(shop.code().await, Some(1));
}
