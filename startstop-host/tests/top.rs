//! The program `startstop-top`, beside a program that runs.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output, Stdio};

use startstop_core::{Group, Runner, Service, State, service_fn};
use startstop_host::Host;

fn top(addr: SocketAddr, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_startstop-top"));
    command
        .arg(addr.to_string())
        .args(arguments)
        .env("STARTSTOP_TOKEN", "s3cret");
    command
}

fn idle() -> impl Service {
    service_fn(async |cx| cx.cancelled().await)
}

/// A program of two parts, its address and its handle.
async fn shop() -> (SocketAddr, Runner<impl Service>) {
    let app = Group::builder("shop")
        .with("db", idle())
        .then("http", idle());
    program(app.build().unwrap()).await
}

/// A program on a thread of its own.
async fn program(app: Group) -> (SocketAddr, Runner<impl Service>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let host = Host::new(app).admin_on(listener).allow_control("s3cret");
    let runner = host.runner();
    std::thread::spawn(move || host.main());
    runner.wait_for(State::Running).await;
    (addr, runner)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn startstop_top_shows_the_tree_and_controls_the_parts() {
    let (addr, runner) = shop().await;
    for arguments in [&["status"][..], &[]] {
        let output = top(addr, arguments).output().unwrap();
        let text = text(&output);
        assert!(
            text.contains("├─ db    running") && text.contains("└─ http  running"),
            "{text}"
        );
        assert_eq!(output.status.code(), Some(0));
    }
    let mut events = top(addr, &["events"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(events.stdout.take().unwrap()).lines();
    let db = runner.find("shop/db").unwrap();
    // Nothing says when the stream is connected, so ask again and again.
    let heard = std::thread::spawn(move || lines.next().unwrap().unwrap());
    while !heard.is_finished() {
        let output = top(addr, &["restart", "shop/db"]).output().unwrap();
        assert_eq!(
            (output.status.code(), &*text(&output)),
            (Some(0), "asked for\n")
        );
    }
    let line = heard.join().unwrap();
    assert!(line.starts_with("shop/db "), "{line}");
    assert!(db.status().cycles() > 1);

    assert_eq!(
        top(addr, &["stop", "shop/http"]).status().unwrap().code(),
        Some(0)
    );
    runner
        .find("shop/http")
        .unwrap()
        .wait_for(State::Stopped)
        .await;
    let unknown = top(addr, &["stop", "shop/nothing"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        text(&unknown).contains("404: there is no such action or path"),
        "{}",
        text(&unknown)
    );
    let refused = top(addr, &["stop", "shop/db"])
        .env("STARTSTOP_TOKEN", "wrong")
        .output()
        .unwrap();
    assert!(text(&refused).contains("401"), "{}", text(&refused));
    runner.request_stop();
    drop(events.kill());
    drop(events.wait());
    // The port answers until the last part has ended.
    let gone = loop {
        let output = top(addr, &["status"]).output().unwrap();
        if output.status.code() == Some(2) {
            break output;
        }
    };
    assert!(text(&gone).contains(&addr.to_string()), "{}", text(&gone));
}

/// A reader of JSON that recurses takes 128 levels at most, and whoever writes it so needs a stack.
#[tokio::test]
async fn a_tree_may_be_as_deep_as_it_likes() {
    let whole = |app, _| Group::builder("level").with("part", app).build().unwrap();
    let innermost = Group::builder("level").with("leaf", idle()).build();
    let (addr, runner) = program((0..2_000).fold(innermost.unwrap(), whole)).await;
    // A busy machine may need longer for so many levels than `startstop-top` waits for an answer.
    let output = loop {
        let output = top(addr, &["status"]).output().unwrap();
        if !text(&output).contains("no answer within") {
            break output;
        }
    };
    let text = text(&output);
    assert_eq!(text.lines().count(), 2_003, "{text}");
    let last = text.lines().last().unwrap().trim_start();
    assert!(last.starts_with("└─ leaf  running"), "{last}");
    assert_eq!(output.status.code(), Some(0));
    runner.request_stop();
}

/// Answers each request so, and closes; at once where there is nothing to say.
fn server(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().map(Result::unwrap) {
            let mut head = BufReader::new(&client).lines().map_while(Result::ok);
            while !answer.is_empty() && head.next().is_some_and(|line| !line.is_empty()) {}
            drop((&client).write_all(answer.as_bytes()));
        }
    });
    addr
}

#[test]
fn a_server_that_is_no_admin_port_is_an_error_whose_text_steers_nothing() {
    for (answer, why) in [
        ("", ""),
        ("SSH-2.0-x\r\n", "not that of an admin port"),
        ("HTTP/1.1 302 Found\r\n\r\n", "302"),
        ("HTTP/1.1 200 OK\r\n\r\n<html>", "is no status"),
        ("HTTP/1.1 500 x\r\n\r\n\x1b[2Jred\x07", "500:  [2Jred "),
    ] {
        let addr = server(answer);
        for arguments in [&["status"][..], &["stop", "shop/db"]] {
            let output = top(addr, arguments).output().unwrap();
            let text = text(&output);
            assert!(!text.contains('\x1b') && !text.contains('\x07'), "{text:?}");
            let is_read = arguments[0] == "status" || !answer.starts_with("HTTP/1.1 200");
            if is_read {
                assert_eq!(output.status.code(), Some(2), "{answer}: {text:?}");
                assert!(text.starts_with(&addr.to_string()), "{text:?}");
                assert!(text.contains(why), "{text:?}");
            }
        }
    }
}

#[test]
fn startstop_top_says_how_it_is_used() {
    let output = Command::new(env!("CARGO_BIN_EXE_startstop-top"))
        .output()
        .unwrap();
    assert!(text(&output).starts_with("usage: startstop-top ADDR"));
    assert_eq!(output.status.code(), Some(2));
}

/// By `script`, for it draws on a terminal alone.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn lines_that_are_wider_than_the_terminal_are_cut() {
    let (addr, runner) = shop().await;
    let top = format!("{} {addr}", env!("CARGO_BIN_EXE_startstop-top"));
    let mut script = Command::new("script");
    let mut script = script
        .args(["--quiet", "--command", &top, "/dev/null"])
        // The shell that it begins says first if it does not know the locale.
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(script.stdout.take().unwrap()).lines();
    let page: Vec<String> = lines.map(Result::unwrap).take(4).collect();
    assert!(
        page[0].starts_with("\x1b[?7l\x1b[H\x1b[KSERVICE"),
        "{page:?}"
    );
    assert!(page[3].contains("http"), "{page:?}");
    script.kill().unwrap();
    script.wait().unwrap();
    runner.request_stop();
}
