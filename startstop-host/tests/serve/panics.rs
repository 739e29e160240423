//! Handlers that panic.

use std::time::Duration;

use startstop_core::{Cause, Exit, Phase, Settings};

use super::http2::{client, request, text};
use super::{get_path, idle, read_until, rest, send_get, server};

/// The number that is shown may be a moment old.
async fn shows(server: &super::Server, detail: &str) {
    let shows = async {
        while server.runner.status().detail() != Some(detail) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(super::LONG, shows).await.unwrap();
}

#[tokio::test]
async fn a_handler_that_panics_ends_its_request_alone_and_is_a_failure_of_a_task() {
    let server = server(Settings::new()).await;
    let mut other = idle(server.addr).await;
    let mut unlucky = get_path(server.addr, "/panics").await;
    assert_eq!(rest(&mut unlucky).await, "");
    // With HTTP/2 the connection goes on.
    let (mut sender, connection) = client(server.addr).await;
    let reset = sender.send_request(request("/panics")).await;
    reset.unwrap_err();
    let answer = sender.send_request(request("/")).await.unwrap();
    assert_eq!(text(answer).await, "web");
    send_get(&mut other).await;
    read_until(&mut other, "web").await;

    shows(&server, "2 connections, 0 requests in flight").await;
    let failures = server.runner.errors_list();
    assert_eq!(failures.len(), 2, "{failures:?}");
    for failure in &failures {
        assert_eq!(
            (failure.phase(), failure.cause()),
            (Phase::Task, Cause::Panic)
        );
    }
    server.runner.stop().await.unwrap();
    assert_eq!(server.runner.wait().await, Exit::Stopped);
    connection.await.unwrap();
    assert_eq!(rest(&mut other).await, "");
}
