//! Callers who may control the parts, and those who may not.

use std::process::ExitCode;

use startstop_core::State;

use super::{Program, shop};
use crate::http::{Stream, ask, send};

const BEARER: &str = "authorization: Bearer s3cret\r\n";

#[tokio::test]
async fn a_part_is_restarted_stopped_and_started_for_whoever_has_the_token() {
    let program = Program::run(shop().allow_control("s3cret")).await;
    let mut events = Stream::open(program.addr).await;
    for (action, event) in [
        ("restart", "ready"),
        ("stop", "stopped"),
        ("start", "ready"),
    ] {
        let path = format!("/control/{action}/shop/db");
        let answer = ask(program.addr, "POST", &path, BEARER).await;
        assert_eq!(answer.status, 202, "{path}: {}", answer.body);
        events
            .event(|told| told["path"] == "shop/db" && told["event"] == event)
            .await
            .unwrap();
    }
    let db = program.runner.find("shop/db").unwrap();
    assert_eq!((db.state(), db.status().cycles()), (State::Running, 3));
    assert_eq!(
        ask(program.addr, "POST", "/control/stop/shop", BEARER)
            .await
            .status,
        202
    );
    assert_eq!(program.end.await.unwrap(), ExitCode::SUCCESS);
}

#[tokio::test]
async fn a_part_started_over_http_runs_on_the_runtime_of_the_service() {
    let program = Program::run(shop().allow_control("s3cret")).await;
    for action in ["stop", "start"] {
        let path = format!("/control/{action}/shop/db");
        assert_eq!(ask(program.addr, "POST", &path, BEARER).await.status, 202);
    }
    program
        .runner
        .find("shop/db")
        .unwrap()
        .wait_for(State::Running)
        .await;
    // The host has a runtime of its own: it ends, that of the service does not.
    assert_eq!(program.stop().await, ExitCode::SUCCESS);
}

#[tokio::test]
async fn everybody_else_is_refused_in_a_fixed_order() {
    let program = Program::run(shop().allow_control("s3cret").allow_host("ops.example")).await;
    let (addr, restart) = (program.addr, "/control/restart/shop/db");
    let foreign = "origin: http://evil.example\r\n";
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(
            ask(addr, method, restart, foreign).await.status,
            405,
            "{method}"
        );
    }
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        let headers = format!("{BEARER}origin: {origin}\r\n");
        assert_eq!(
            ask(addr, "POST", restart, &headers).await.status,
            403,
            "{origin}"
        );
    }
    let rebound = |host: &str| {
        format!("POST {restart} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{BEARER}\r\n")
    };
    assert_eq!(send(addr, rebound("evil.example")).await.status, 403);
    // The target counts more than `Host`.
    let absolute = format!(
        "POST http://evil.example{restart} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n{BEARER}\r\n"
    );
    assert_eq!(send(addr, absolute).await.status, 403);
    for token in [
        "",
        "authorization: Bearer s3cre\r\n",
        "authorization: Basic s3cret\r\n",
        "authorization: s3cret\r\n",
    ] {
        let answer = ask(addr, "POST", restart, token).await;
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (401, Some("bearer"))
        );
    }
    // Without the token the answer does not tell which parts exist.
    assert_eq!(
        ask(addr, "POST", "/control/restart/shop/nothing", "")
            .await
            .status,
        401
    );
    for unknown in [
        "restart/shop/nothing",
        "halt/shop/db",
        "restart",
        "restart/",
        "restart/db",
        "restart/shop/%FF",
    ] {
        let path = format!("/control/{unknown}");
        assert_eq!(ask(addr, "POST", &path, BEARER).await.status, 404, "{path}");
    }
    assert_eq!(program.runner.find("shop/db").unwrap().status().cycles(), 1);
    let origin = format!("{BEARER}origin: http://{addr}\r\n");
    assert_eq!(ask(addr, "POST", restart, &origin).await.status, 202);
    assert_eq!(send(addr, rebound("ops.example:9100")).await.status, 202);
    program.stop().await;
}

#[tokio::test]
async fn the_token_is_not_taken_from_the_address() {
    let program = Program::run(shop().allow_control("s3cret")).await;
    for query in ["?token=s3cret", "?access_token=s3cret"] {
        let path = format!("/control/restart/shop/db{query}");
        assert_eq!(ask(program.addr, "POST", &path, "").await.status, 401);
    }
    program.stop().await;
}

#[tokio::test]
async fn without_a_token_of_its_own_there_is_no_control() {
    let program = Program::run(shop()).await;
    assert_eq!(
        ask(program.addr, "POST", "/control/restart/shop/db", BEARER)
            .await
            .status,
        404
    );
    assert_eq!(program.runner.find("shop/db").unwrap().status().cycles(), 1);
    program.stop().await;
}
