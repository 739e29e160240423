//! Lines, however fast they come and however slow they are read.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{Backoff, Exit, Readiness, RestartPolicy, Runner, Settings, StopError};
use startstop_process::{Line, Output, Process, ProcessError, Ready, Stream};

use crate::support::{last_error, runner, sh};

fn collected(process: Process) -> (Process, Arc<Mutex<Vec<Line>>>) {
    let lines = Arc::<Mutex<Vec<Line>>>::default();
    let seen = lines.clone();
    (
        process.output(Output::lines(move |line| seen.lock().unwrap().push(line))),
        lines,
    )
}

fn job(process: Process) -> Runner<Process> {
    Runner::with_settings(process, Settings::new().readiness(Readiness::Completion))
}

#[tokio::test]
async fn lines_come_with_stream_and_name_and_the_last_needs_no_end() {
    let (child, lines) = collected(sh("echo out; echo err >&2; printf last"));
    job(child).start().await.unwrap();
    let lines = lines.lock().unwrap();
    let of = |stream| {
        lines
            .iter()
            .filter(|line| line.stream == stream)
            .map(|line| line.text.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (of(Stream::Stdout), of(Stream::Stderr)),
        (vec!["out", "last"], vec!["err"])
    );
    assert!(lines.iter().all(|line| &*line.name == "sh"));
}

#[tokio::test]
async fn a_slow_reader_does_not_stop_the_child_and_loses_no_tail() {
    let script = "i=0; while [ $i -lt 20000 ]; do echo a line of quite some length, number $i; echo err $i >&2; i=$((i+1)); done; echo the end; exit 4";
    let lines = Arc::<Mutex<Vec<String>>>::default();
    let seen = lines.clone();
    let child = sh(script).output(Output::lines(move |line| {
        std::thread::sleep(Duration::from_micros(20));
        seen.lock().unwrap().push(line.text);
    }));
    let runner = runner(child);
    let _ = runner.start().await;
    assert_eq!(runner.wait().await, Exit::Failed);
    last_error(&runner, |error| {
        let ProcessError::Exited { code: 4, tail } = error else {
            panic!("{error:?}")
        };
        assert_eq!(tail.last().unwrap(), "err 19999");
    });
}

#[tokio::test]
async fn a_panic_of_the_reader_loses_one_line() {
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let child = sh("echo a; echo bad; echo b").output(Output::lines(move |line| {
        assert_ne!(line.text, "bad");
        drop(sender.send(line.text));
    }));
    job(child).start().await.unwrap();
    // To print a panic may take longer than the end of the child waits for its lines.
    for expected in ["a", "b"] {
        assert_eq!(lines.recv().await.as_deref(), Some(expected));
    }
}

/// In kilobytes: what only this process has.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_flood_that_nobody_reads_is_bounded_and_the_last_words_are_kept() {
    let line = "x".repeat(1000);
    let flood = format!("yes {line} | head -c 100100000");
    let child = sh(&format!(
        "{flood} & {flood} >&2; wait; echo the end >&2; exit 4"
    ));
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let child = child.output(Output::lines(move |_| _ = held.lock().unwrap().recv()));
    let runner = runner(child);
    let before = memory();
    let _ = runner.start().await;
    assert_eq!(runner.wait().await, Exit::Failed);
    let grown = memory().saturating_sub(before);
    drop(release);
    last_error(&runner, |error| {
        let ProcessError::Exited { code: 4, tail } = error else {
            panic!("{error:?}")
        };
        assert_eq!(tail.last().unwrap(), "the end");
    });
    assert!(grown < 64 << 10, "{grown} kB more for 200 MB");
}

/// Makes stops until one is in time. On a busy machine one may be late; a stop that waits for a reader always is.
async fn one_is_in_time(stop: impl AsyncFn() -> Result<(), StopError>) {
    for _ in 0..10 {
        if stop().await.is_ok() {
            return;
        }
    }
    panic!("each of them is late");
}

#[tokio::test]
async fn a_reader_that_does_not_return_makes_no_stop_late_and_takes_one_thread() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(Mutex::new(held));
    let calls = Arc::new(AtomicUsize::new(0));
    let stuck = |script: &str| {
        let (held, calls) = (held.clone(), calls.clone());
        sh(script).output(Output::lines(move |_| {
            calls.fetch_add(1, Ordering::Relaxed);
            _ = held.lock().unwrap().recv();
        }))
    };
    let read = async |child: Process| {
        let before = calls.load(Ordering::Relaxed);
        let runner = Runner::new(child);
        runner.start().await.unwrap();
        while calls.load(Ordering::Relaxed) == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        runner
    };
    let short = || Settings::new().stop_timeout(Duration::from_millis(600));
    one_is_in_time(async || {
        let child = stuck("echo out; exec sleep 1000").settings(short());
        read(child).await.stop().await
    })
    .await;
    // A deadline that comes nearer is kept too, although the child has ended before it came.
    one_is_in_time(async || {
        let runner = read(stuck("echo out; exit 0")).await;
        runner.stop_within(Duration::from_millis(300)).await
    })
    .await;
    let before = calls.load(Ordering::Relaxed);
    // Each attempt would have a thread that does not come back.
    let backoff = Backoff::constant(Duration::ZERO);
    let again = RestartPolicy::on_failure()
        .backoff(backoff)
        .limit(3, Duration::from_secs(600));
    let runner = Runner::new(stuck("echo out; exit 1").settings(Settings::new().restart(again)));
    let _ = runner.start().await;
    assert_eq!(runner.wait().await, Exit::Failed);
    assert_eq!(
        (
            runner.errors_list().len() >= 4,
            calls.load(Ordering::Relaxed) - before
        ),
        (true, 1)
    );
    drop(release);
}

#[tokio::test]
async fn a_stream_that_is_never_empty_holds_up_no_line_of_the_other() {
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let script = "yes & n=0; while :; do echo $n >&2; n=$((n+1)); sleep 0.01; done";
    let child = sh(script).output(Output::lines(move |line| {
        if line.stream == Stream::Stderr {
            drop(sender.send(line.text));
        }
    }));
    // A line of that stream is the readiness as well.
    let runner = runner(child.ready(Ready::line("20")));
    runner.start().await.unwrap();
    while lines.recv().await.unwrap() != "40" {}
    runner.stop().await.unwrap();
}

const WITHIN: &str = "STARTSTOP_TEST_LINES";

/// Where standard error is a socket of datagrams each write is one.
#[tokio::test]
async fn a_line_is_one_write() {
    if std::env::var_os(WITHIN).is_some() {
        let child = sh("echo one >&2; echo two >&2; printf three >&2");
        return job(child).start().await.unwrap();
    }
    let (read, written) = UnixDatagram::pair().unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "output::a_line_is_one_write"])
        .env(WITHIN, "")
        .stdout(Stdio::null())
        .stderr(OwnedFd::from(written))
        .status();
    assert!(status.unwrap().success());
    let mut buffer = [0; 64];
    for line in ["one\n", "two\n", "three\n"] {
        let n = read.recv(&mut buffer).unwrap();
        assert_eq!(String::from_utf8_lossy(&buffer[..n]), line);
    }
}
