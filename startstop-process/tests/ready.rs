//! Readiness: by a port, a line, a message, a file, a time, a command.

mod stopped;

use std::net::TcpListener;
use std::time::Duration;

use startstop_core::{Exit, Runner, Settings, StartError};
use startstop_process::{Output, Process, ProcessError, Ready};

use crate::free_port::free_port;
use crate::support::{Folder, errors, last_error, python, runner, sh};

async fn becomes_ready(process: Process) {
    let runner = runner(process);
    runner.start().await.unwrap();
    assert!(runner.is_ready());
    runner.stop().await.unwrap();
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
async fn by_a_line_that_has_no_end_yet() {
    for script in [
        "printf 'listening> '; exec sleep 1000",
        "printf 'listening> ' >&2; exec sleep 1000",
        "printf list; sleep 0.1; printf ening; exec sleep 1000",
        "printf listening; exec sleep 1000 >&- 2>&-",
        // Longer than a piece of a line, which ends within the text.
        "head -c 65530 /dev/zero | tr '\\0' x; printf listening; exec sleep 1000",
    ] {
        let child = sh(script).output(Output::null());
        becomes_ready(child.ready(Ready::line("listening"))).await;
    }
}

#[tokio::test]
async fn a_child_that_ends_right_after_it_was_ready_has_been_ready() {
    let folder = Folder::new("ready-at-once");
    let writes = || sh(&format!("rm -f {0}; echo >{0}", folder.path("new")));
    for n in 0..10 {
        for child in [
            sh("printf up").ready(Ready::line("up")),
            sh("echo up >&2").ready(Ready::line("up")),
            writes().ready(Ready::file(folder.path("new"))),
        ] {
            let runner = runner(child);
            runner
                .start()
                .await
                .unwrap_or_else(|error| panic!("{n}: {error}"));
            assert_eq!(runner.wait().await, Exit::Completed);
        }
    }
    let fails = runner(sh("printf up; echo no luck >&2; exit 3").ready(Ready::line("up")));
    fails.start().await.unwrap();
    assert_eq!(fails.wait().await, Exit::Failed);
    assert_eq!(errors(&fails), ["exited with code 3: no luck"]);
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
async fn a_child_that_ends_before_it_is_ready_has_failed() {
    let runner = runner(sh("echo no luck >&2; exit 0").ready(Ready::line("up")));
    runner.start().await.unwrap_err();
    last_error(&runner, |error| {
        let ProcessError::NotReady { why, tail } = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (why.as_str(), tail[0].as_str()),
            ("it ended before it was ready", "no luck")
        );
    });
}

#[tokio::test]
async fn a_start_that_times_out_says_what_was_waited_for() {
    let child = sh("echo thinking >&2; exec sleep 1000").ready(Ready::line("up"));
    let runner =
        Runner::with_settings(child, Settings::new().start_timeout(Duration::from_secs(3)));
    assert!(matches!(runner.start().await, Err(StartError::TimedOut)));
    runner.wait().await;
    last_error(&runner, |error| {
        let ProcessError::NotReady { why, tail } = error else {
            panic!("{error:?}")
        };
        assert!(why.starts_with("no line with `up` after "), "{why}");
        assert_eq!(tail, &["thinking"]);
    });
}

/// A port that is taken, by this very process, and what is said of it.
fn taken() -> (TcpListener, String, String) {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = held.local_addr().unwrap().to_string();
    let comm = std::fs::read_to_string("/proc/self/comm").unwrap();
    let said = format!(
        "{addr} is held by {} (pid {})",
        comm.trim_end(),
        std::process::id()
    );
    (held, addr, said)
}

#[tokio::test]
async fn a_port_that_was_taken_before_is_no_readiness_and_the_failure_says_by_whom() {
    let (_held, addr, said) = taken();
    let (_, port) = addr.rsplit_once(':').unwrap();
    let script = format!("import socket\nsocket.socket().bind(('127.0.0.1', {port}))");
    let runner = runner(python(&script).ready(Ready::tcp(&addr)));
    runner.start().await.unwrap_err();
    last_error(&runner, |error| {
        let ProcessError::Exited { code: 1, tail } = error else {
            panic!("{error:?}")
        };
        assert!(
            tail.iter()
                .any(|line| line.contains("Address already in use")),
            "{tail:?}"
        );
        assert_eq!(tail.last(), Some(&said));
    });
}

#[tokio::test]
async fn a_start_that_times_out_for_a_taken_port_says_by_whom() {
    let (_held, addr, said) = taken();
    let child = sh("exec sleep 1000").ready(Ready::tcp(&addr));
    let settings = Settings::new().start_timeout(Duration::from_secs(3));
    let runner = Runner::with_settings(child, settings);
    runner.start().await.unwrap_err();
    let errors = errors(&runner);
    assert!(
        errors.iter().any(|error| error.contains(&said)),
        "{errors:?}"
    );
}

#[tokio::test]
async fn a_port_of_this_machine_is_taken_by_whatever_name_it_is_called() {
    for (bound, asked) in [
        ("127.0.0.1:0", "0.0.0.0"),
        ("127.0.0.1:0", "localhost"),
        ("[::1]:0", "[::]"),
        ("[::1]:0", "localhost"),
    ] {
        // There are machines without IPv6.
        let Ok(held) = TcpListener::bind(bound) else {
            continue;
        };
        let addr = format!("{asked}:{}", held.local_addr().unwrap().port());
        let runner = runner(sh("exec sleep 1000").ready(Ready::tcp(&addr)));
        let early = tokio::time::timeout(Duration::from_millis(200), runner.start()).await;
        assert!(early.is_err(), "{bound} counts as {addr}");
        runner.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_port_that_an_earlier_run_gives_up_meanwhile_is_ready_when_the_child_has_it() {
    let (held, addr, _) = taken();
    let (_, port) = addr.rsplit_once(':').unwrap();
    let script = format!(
        "import socket, time\nwhile True:\n    s = socket.socket()\n    \
         s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n    try:\n        \
         s.bind(('127.0.0.1', {port})); s.listen(); break\n    except OSError:\n        \
         print('taken', flush=True); time.sleep(0.01)\ntime.sleep(1000)"
    );
    let (sender, mut tried) = tokio::sync::mpsc::unbounded_channel();
    let output = startstop_process::Output::lines(move |line| drop(sender.send(line.text)));
    let runner = runner(python(&script).output(output).ready(Ready::tcp(&addr)));
    let start = tokio::spawn({
        let runner = runner.clone();
        async move { runner.start().await }
    });
    // A shell in front may say first that it does not know the locale.
    while tried.recv().await.expect("it tries") != "taken" {}
    assert!(!runner.is_ready());
    drop(held);
    start.await.unwrap().unwrap();
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_time_is_not_begun_anew_by_what_happens_meanwhile() {
    let child = sh("exec sleep 1000").ready(Ready::after(Duration::MAX));
    let runner = runner(child);
    let early = tokio::time::timeout(Duration::from_millis(100), runner.start()).await;
    assert!(early.is_err());
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_relative_file_begins_at_the_working_directory_of_the_child() {
    let folder = Folder::new("relative");
    let child = sh("echo $$ >pid; exec sleep 1000").cwd(&folder.0);
    becomes_ready(child.ready(Ready::file("pid"))).await;
}

#[tokio::test]
async fn a_command_that_does_not_succeed_is_told_with_what_came_of_it() {
    for (command, why) in [
        (&["no-such-command"][..], "No such file or directory"),
        (&["sh", "-c", "exit 3"], "exited with code 3"),
        (
            &["sh", "-c", "echo $$ no luck >&2; exit 3"],
            "exited with code 3",
        ),
        (&["sh", "-c", "kill -9 $$"], "was ended by SIGKILL"),
    ] {
        let child = sh("exec sleep 1000").ready(Ready::command(command.iter().copied()));
        let settings = Settings::new().start_timeout(Duration::from_secs(3));
        let runner = Runner::with_settings(child, settings);
        let mut events = runner.events();
        runner.request_start();
        while !runner.status().to_string().contains(why) {
            events.next().await.unwrap();
        }
        runner.wait().await;
        let said = last_error(&runner, ToString::to_string);
        assert!(
            said.contains("does not succeed after ") && said.contains(why),
            "{said}"
        );
        // What differs each time is told at the end, and not each time.
        assert_eq!(
            said.ends_with("no luck"),
            command.iter().any(|word| word.contains("no luck")),
            "{said}"
        );
    }
}

#[tokio::test]
async fn the_command_that_asks_has_the_environment_and_the_folder_of_the_child() {
    let child = sh("exec sleep 1000").env("SIGN", "yes").cwd("/");
    let asks = ["sh", "-c", "[ $SIGN$PWD = yes/ ]"];
    becomes_ready(child.ready(Ready::command(asks))).await;
}
