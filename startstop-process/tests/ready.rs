//! Readiness: by a port, a line, a message, a file, a time, a command.

use std::net::TcpListener;
use std::time::Duration;

use startstop_core::{Runner, Settings};
use startstop_process::{Process, ProcessError, Ready};

use crate::support::{Folder, errors, last_error, python, runner, sh};

async fn becomes_ready(process: Process) {
    let runner = runner(process);
    runner.start().await.unwrap();
    assert!(runner.is_ready());
    runner.stop().await.unwrap();
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn by_a_port() {
    let port = free_port();
    let script = format!(
        "import socket, time\ntime.sleep(0.2)\ns = socket.socket()\n\
         s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\ns.bind(('127.0.0.1', {port}))\n\
         s.listen()\ntime.sleep(1000)"
    );
    becomes_ready(python(&script).ready(Ready::tcp(format!("127.0.0.1:{port}")))).await;
}

#[tokio::test]
async fn by_a_line_of_either_stream() {
    becomes_ready(sh("echo it is up now; exec sleep 1000").ready(Ready::line("up"))).await;
    becomes_ready(sh("echo it is up now >&2; exec sleep 1000").ready(Ready::line("up"))).await;
}

#[tokio::test]
async fn by_a_message() {
    let script = "import os, socket, time\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
                  s.sendto(b'STATUS=nearly\\nREADY=1', os.environ['NOTIFY_SOCKET'])\ntime.sleep(1000)";
    becomes_ready(python(script).ready(Ready::notify())).await;
}

#[tokio::test]
async fn by_a_file_that_is_new() {
    let folder = Folder::new("ready");
    let path = folder.path("pid");
    std::fs::write(&path, "stale").unwrap();
    let wait = runner(sh("exec sleep 1000").ready(Ready::file(&path)));
    let early = tokio::time::timeout(Duration::from_millis(200), wait.start()).await;
    assert!(early.is_err(), "a stale file counts");
    wait.stop().await.unwrap();
    becomes_ready(
        sh(&format!("sleep 0.1; echo new >{path}; exec sleep 1000")).ready(Ready::file(&path)),
    )
    .await;
}

#[tokio::test]
async fn by_a_time_and_by_a_command() {
    becomes_ready(sh("exec sleep 1000").ready(Ready::after(Duration::from_millis(50)))).await;
    let folder = Folder::new("command");
    let path = folder.path("flag");
    let child = sh(&format!("sleep 0.1; touch {path}; exec sleep 1000"));
    becomes_ready(child.ready(Ready::command(["test", "-e", &path]))).await;
}

#[tokio::test]
async fn one_that_ends_before_it_is_ready_has_failed() {
    let runner = runner(sh("echo no luck >&2; exit 0").ready(Ready::line("up")));
    runner.start().await.unwrap_err();
    last_error(&runner, |error| {
        let ProcessError::NotReady { why, tail } = error else { panic!("{error:?}") };
        assert_eq!((why.as_str(), tail[0].as_str()), ("it ended before it was ready", "no luck"));
    });
}

#[tokio::test]
async fn a_start_that_times_out_says_what_was_waited_for() {
    let child = sh("echo thinking >&2; exec sleep 1000").ready(Ready::line("up"));
    let runner =
        Runner::with_settings(child, Settings::new().start_timeout(Duration::from_millis(300)));
    runner.start().await.unwrap_err();
    let errors = errors(&runner);
    assert!(
        errors.iter().any(|e| e.contains("no line with `up`") && e.ends_with("thinking")),
        "{errors:?}"
    );
}

#[tokio::test]
async fn who_holds_the_port_is_told() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = held.local_addr().unwrap().to_string();
    let runner = runner(sh("sleep 0; exit 9").ready(Ready::tcp(&addr)));
    let _ = runner.start().await;
    runner.wait().await;
    last_error(&runner, |error| {
        let text = format!("{error:?}");
        assert!(matches!(error, ProcessError::Exited { code: 9, .. }), "{text}");
    });
}
