//! redis-server: by its port, by a line, by a message and by a command; a port that is taken.

use std::process::Command;

use startstop_core::{Backoff, RestartPolicy, Runner, Settings};
use startstop_process::{Output, Process, ProcessError, Ready};

use crate::free_port::free_port;
use crate::support::{kill, last_error, lives_and_ends, runner, until};

fn redis(port: u16) -> Process {
    Process::new("redis-server")
        .args(["--save", "", "--port"])
        .arg(port.to_string())
}

fn ask(port: u16, words: &[&str]) -> Option<String> {
    let mut command = Command::new("redis-cli");
    let output = command
        .args(["-p", &port.to_string()])
        .args(words)
        .output()
        .unwrap();
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn it_is_ready_by_its_port_a_line_and_a_command() {
    for ready in [
        |port: u16| Ready::tcp(format!("127.0.0.1:{port}")),
        |_| Ready::line("Ready to accept connections"),
        |port: u16| Ready::command(["redis-cli", "-p", &port.to_string(), "-e", "ping"]),
    ] {
        let port = free_port();
        lives_and_ends(redis(port).ready(ready(port))).await;
    }
}

#[tokio::test]
async fn it_is_ready_by_its_message() {
    lives_and_ends(
        redis(free_port())
            .args(["--supervised", "systemd"])
            .ready(Ready::notify()),
    )
    .await;
}

#[tokio::test]
async fn one_that_is_killed_is_started_again() {
    let port = free_port();
    let policy = RestartPolicy::on_failure().backoff(Backoff::none());
    let process = redis(port)
        .ready(Ready::line("Ready to accept"))
        .output(Output::null());
    let runner = Runner::with_settings(process, Settings::new().restart(policy));
    runner.start().await.unwrap();
    let pid = |info: String| {
        info.lines()
            .find_map(|line| line.strip_prefix("process_id:"))
            .map(str::to_owned)
    };
    let first = ask(port, &["info", "server"]).and_then(pid).unwrap();
    kill("-KILL", &first);
    let asked = tokio::task::spawn_blocking(move || {
        until(|| {
            ask(port, &["info", "server"])
                .and_then(pid)
                .filter(|second| *second != first)
        })
    });
    asked.await.unwrap();
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_one_on_its_port_says_by_whom_it_is_taken() {
    let port = free_port();
    let ready = || Ready::tcp(format!("127.0.0.1:{port}"));
    let first = runner(redis(port).ready(ready()));
    first.start().await.unwrap();
    let second = runner(redis(port).ready(ready()));
    second.start().await.unwrap_err();
    last_error(&second, |error| {
        let ProcessError::Exited { code: 1, .. } = error else {
            panic!("{error:?}")
        };
        let said = error.to_string();
        assert!(
            said.contains(&format!("127.0.0.1:{port} is held by redis-server (pid ")),
            "{said}"
        );
    });
    first.stop().await.unwrap();
}
