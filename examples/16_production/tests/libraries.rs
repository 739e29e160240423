//! Libraries at a stop, as docs/production.md tells: if one of them changes its ways, a test here says so.

mod nats;
mod telemetry;

use std::time::Duration;

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;

use crate::servers::{Servers, until};

/// sqlx 0.9.0, PostgreSQL 15.
#[tokio::test]
async fn the_session_of_a_dropped_query_outlives_the_pool_of_sqlx() {
    let servers = Servers::start();
    until("PostgreSQL answers", async || {
        PgConnection::connect(&servers.database).await.is_ok()
    })
    .await;
    let pool = PgPoolOptions::new()
        .connect(&servers.database)
        .await
        .unwrap();
    let mut other = PgConnection::connect(&servers.database).await.unwrap();
    let query = "select pg_advisory_lock(7), pg_sleep(60)";
    let mut locked = async || {
        let lock = sqlx::query_scalar::<_, bool>("select pg_try_advisory_lock(7)");
        let ours = lock.fetch_one(&mut other).await.unwrap();
        if ours {
            sqlx::query("select pg_advisory_unlock(7)")
                .execute(&mut other)
                .await
                .unwrap();
        }
        !ours
    };
    {
        let mut running = std::pin::pin!(sqlx::query(query).execute(&pool));
        tokio::select! {
            done = running.as_mut() => panic!("it has ended: {done:?}"),
            () = until("the lock is taken", &mut locked) => {}
        }
    }
    // The query is dropped, as a task is at the deadline of a stop.
    pool.close().await;
    assert!(locked().await, "the session goes on, with its lock");
}

async fn connected(servers: &Servers) -> MultiplexedConnection {
    let client = redis::Client::open(servers.cache.as_str()).unwrap();
    until("Redis answers", async || {
        client.get_multiplexed_async_connection().await.is_ok()
    })
    .await;
    client.get_multiplexed_async_connection().await.unwrap()
}

/// redis 1.8.1, Redis 7.0.15.
#[tokio::test]
async fn a_blocking_pop_that_is_dropped_takes_the_next_item_with_it() {
    let servers = Servers::start();
    let (mut worker, mut other) = (connected(&servers).await, connected(&servers).await);
    let waiting = worker.blpop::<_, Option<(String, String)>>("jobs", 0.0);
    timeout(Duration::from_millis(300), waiting)
        .await
        .expect_err("there is no job");
    let _: usize = other.rpush("jobs", "first").await.unwrap();
    let left: usize = other.llen("jobs").await.unwrap();
    assert_eq!(left, 0, "nobody has it");
    // With a connection of its own, which is dropped as well, the next one stays.
    drop(worker);
    until("the server has noticed", async || {
        let clients: String = redis::cmd("CLIENT")
            .arg("LIST")
            .query_async(&mut other)
            .await
            .unwrap();
        !clients.contains("cmd=blpop")
    })
    .await;
    let _: usize = other.rpush("jobs", "second").await.unwrap();
    assert_eq!(other.llen::<_, usize>("jobs").await.unwrap(), 1);
}
