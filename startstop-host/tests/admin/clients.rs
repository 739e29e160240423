//! Clients that are slow, broken, or many.

#[cfg(feature = "notify")]
use std::io::{BufRead, BufReader};
#[cfg(feature = "notify")]
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Program, shop};
use crate::http::{ask, get, send};

#[tokio::test]
async fn a_request_that_is_too_large_is_refused() {
    let program = Program::run(shop().allow_control("s3cret")).await;
    let addr = program.addr;
    let long = format!("x-long: {}\r\n", "x".repeat(20_000));
    assert_eq!(ask(addr, "GET", "/livez", &long).await.status, 431);
    let announced = "content-length: 70000\r\n";
    assert_eq!(ask(addr, "GET", "/livez", announced).await.status, 413);
    let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", 70_000, "x".repeat(70_000));
    let head =
        "GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_eq!(send(addr, format!("{head}{chunk}")).await.status, 413);
    let small =
        "GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc";
    assert_eq!(send(addr, small).await.status, 200);
    assert_eq!(send(addr, "nonsense\r\n\r\n").await.status, 400);
    // The token does not help control either.
    let large = format!("authorization: Bearer s3cret\r\n{announced}");
    assert_eq!(
        ask(addr, "POST", "/control/stop/shop/db", &large)
            .await
            .status,
        413
    );
    let long = format!("authorization: Bearer s3cret\r\n{long}");
    assert_eq!(
        ask(addr, "POST", "/control/stop/shop/db", &long)
            .await
            .status,
        431
    );
    assert!(program.runner.find("shop/db").unwrap().is_running());
    program.stop().await;
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let program = Program::run(shop()).await;
    let mut half = TcpStream::connect(program.addr).await.unwrap();
    half.write_all(b"GET /livez HTTP/1.1\r\nho").await.unwrap();
    let mut rest = Vec::new();
    let closed = timeout(Duration::from_secs(30), half.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "closed after the limit of 10 s");
    program.stop().await;
}

#[tokio::test]
async fn half_of_what_a_client_sends_does_not_hold_up_the_end() {
    let head = "GET /livez HTTP/1.1\r\nhost: a\r\n";
    let half_a_body = format!("{head}content-length: 9\r\n\r\nabc");
    for half in ["GET /livez HTTP/1.1\r\nho", head, &half_a_body, ""] {
        let program = Program::run(shop()).await;
        let mut client = TcpStream::connect(program.addr).await.unwrap();
        client.write_all(half.as_bytes()).await.unwrap();
        // An answer to another one means that the first was accepted.
        assert_eq!(get(program.addr, "/livez").await.body, "ok");
        let begin = Instant::now();
        program.stop().await;
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(5), "{half:?}: {took:?}");
    }
}

#[tokio::test]
async fn many_silent_clients_do_not_keep_others_out() {
    let program = Program::run(shop()).await;
    let mut silent = Vec::new();
    for _ in 0..600 {
        silent.push(TcpStream::connect(program.addr).await.unwrap());
    }
    assert_eq!(get(program.addr, "/livez").await.body, "ok");
    // The server closes all but 256, the most silent first.
    for stream in &mut silent[..300] {
        let closed = timeout(Duration::from_secs(30), stream.read(&mut [0; 1])).await;
        assert!(matches!(closed.expect("it was closed"), Ok(0) | Err(_)));
    }
    program.stop().await;
}

/// A process that may have few descriptors.
#[cfg(feature = "notify")]
#[tokio::test]
async fn silent_clients_that_have_taken_all_descriptors_do_not_keep_others_out() {
    let mut program = Command::new("sh")
        .args(["-c", "ulimit -n 40; exec \"$0\" admin"])
        .arg(env!("CARGO_BIN_EXE_startstop-host-told"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let addr = lines.next().unwrap().unwrap().parse().unwrap();
    // What the program needs itself it has.
    assert_eq!(lines.next().unwrap().unwrap(), "begun");
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(addr).await.unwrap());
    }
    assert_eq!(get(addr, "/livez").await.body, "ok");
    for stream in &mut silent[..50] {
        let closed = timeout(Duration::from_secs(30), stream.read(&mut [0; 1])).await;
        assert!(matches!(closed.expect("it was closed"), Ok(0) | Err(_)));
    }
    program.kill().unwrap();
    program.wait().unwrap();
}
