//! How a program ends: its code, what it prints and calls, and what becomes of signals and threads after that.

use std::time::{Duration, Instant};

use super::signalled;
use crate::child::{Ended, Program};

const RUNTIMES: [&str; 3] = ["current", "1", "2"];

/// How the system numbers what ends a process.
const SIGNALS: [(&str, i32); 3] = [("HUP", 1), ("INT", 2), ("TERM", 15)];

#[tokio::test]
async fn a_signal_after_the_end_does_what_it_does_by_default() {
    for (signal, number) in SIGNALS {
        let mut program = signalled(&["2", "run", "done", "stays"]);
        program.prints("done").await;
        program.prints("returned").await;
        program.signal(signal).await;
        assert_eq!(program.end().await.signal, Some(number));
    }
}

#[tokio::test]
async fn a_second_termination_is_the_same_request_also_when_the_first_has_ended_the_service() {
    let mut program = signalled(&["2", "run", "idle", "stays"]);
    program.prints("running").await;
    let begun = Instant::now();
    program.signal("TERM").await;
    program.prints("stopping").await;
    program.prints("returned").await;
    let ended = program.signal_until_it_ends("TERM").await;
    assert_eq!(ended.signal, Some(15));
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

/// A program that works in the blocking pool for ever, once it was told to stop.
async fn stopped_in_the_pool(args: &[&str]) -> Ended {
    let mut program = signalled(args);
    program.prints("running").await;
    program.signal("TERM").await;
    program.prints("returned").await;
    program.end().await
}

#[tokio::test]
async fn work_in_the_blocking_pool_does_not_keep_a_program() {
    let left = "1 thread of the runtime has not ended within 50ms";
    let ended = stopped_in_the_pool(&["own", "main", "pool"]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains(left), "{}", ended.stderr);
    for runtime in RUNTIMES {
        let ended = stopped_in_the_pool(&[runtime, "main", "pool"]).await;
        assert_eq!(ended.code, Some(1));
        let left = "threads of the runtime have not ended within 50ms";
        assert!(ended.stderr.contains(left), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn work_left_in_the_blocking_pool_leaves_the_code_of_the_service() {
    let ended = signalled(&["own", "main", "pool left"]).end().await;
    assert_eq!(ended.code, Some(0));
    assert!(
        ended
            .stderr
            .contains("1 thread of the runtime has not ended"),
        "{}",
        ended.stderr
    );
}

#[tokio::test]
async fn a_runtime_that_ends_is_not_told_of() {
    for args in [
        ["own", "main", "done"],
        ["2", "main", "done"],
        ["current", "main", "done"],
    ] {
        let ended = signalled(&args).end().await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    }
}

#[tokio::test]
async fn a_runtime_that_does_not_end_does_not_swallow_signals() {
    let mut program = signalled(&["2", "run", "pool"]);
    program.prints("running").await;
    program.signal("INT").await;
    // The drop of the runtime waits for ever, so the program does not end by itself.
    program.prints("returned").await;
    program.signal("TERM").await;
    assert_eq!(program.end().await.signal, Some(15));
}

/// A program that a signal has ended, whose service does something when it is dropped.
async fn left(args: &[&str]) -> Ended {
    let mut program = signalled(args);
    program.prints("running").await;
    program.signal("TERM").await;
    program.prints("stopping").await;
    program.end().await
}

#[tokio::test]
async fn a_destructor_has_ended_before_the_program_does() {
    for runtime in RUNTIMES {
        for entry in ["run", "main"] {
            let ended = left(&[runtime, entry, "flushing"]).await;
            let stdout = ended.stdout.trim_end();
            assert!(stdout.ends_with("flushed\nreturned"), "{stdout}");
            assert_eq!(ended.code, Some(0));
        }
    }
}

#[tokio::test]
async fn a_destructor_that_panics_leaves_the_code_of_the_service() {
    for entry in ["run", "main"] {
        let ended = left(&["2", entry, "leaving badly"]).await;
        let told = "a destructor panicked: out of ink";
        assert!(ended.stderr.contains(told), "{}", ended.stderr);
        assert_eq!(ended.code, Some(0));
    }
}

#[tokio::test]
async fn a_destructor_that_blocks_does_not_keep_a_program_that_was_told_to_end() {
    for runtime in RUNTIMES {
        for entry in ["run", "main"] {
            let ended = left(&[runtime, entry, "staying"]).await;
            let told = "a destructor of service \"staying\" does not return\n";
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), told));
        }
    }
}

const CALLED: &str = "first\noutside: true\nlast\n";

#[tokio::test]
async fn registered_functions_are_called_at_the_end_the_last_first() {
    for args in [
        ["own", "main", "done", "on exit"],
        ["current", "run", "done", "on exit"],
    ] {
        let ended = signalled(&args).end().await;
        assert_eq!(ended.stdout, format!("done\n{CALLED}returned\n"));
        assert_eq!(ended.code, Some(0));
        let (late, panicked) = (
            "has not returned within a second",
            "panicked: out of cheese",
        );
        let told = |text: &str| {
            ended
                .stderr
                .contains(&format!("a function of on_exit {text}"))
        };
        assert!(told(late) && told(panicked), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn registered_functions_are_called_when_the_service_does_not_yield() {
    for runtime in RUNTIMES {
        let mut program = signalled(&[runtime, "run", "blocked", "on exit"]);
        program.prints("running").await;
        program.signal("TERM").await;
        let ended = program.end().await;
        assert_eq!(ended.stdout, format!("running\n{CALLED}"));
        assert_eq!(ended.code, Some(1));
    }
}

#[tokio::test]
async fn an_error_chooses_the_exit_code_and_forges_no_line() {
    for (runtime, entry) in [
        ("2", "run"),
        ("current", "run"),
        ("1", "main"),
        ("own", "main"),
    ] {
        let ended = signalled(&[runtime, entry, "failing"]).end().await;
        assert_eq!(ended.code, Some(78));
        let expected = "service \"failing\" failed in run (cycle 1, attempt 1)\n  \
             caused by: no such key\\nservice \"db\" is fine\\u{1b}[2J\n";
        assert_eq!(ended.stderr, expected);
    }
}

#[tokio::test]
async fn a_start_that_takes_too_long_is_printed_with_who_was_late() {
    for (runtime, entry, kind) in [
        ("2", "run", "late"),
        ("own", "main", "late"),
        ("2", "run", "many late"),
    ] {
        let ended = signalled(&[runtime, entry, kind]).end().await;
        let begins = "not ready in time\n  \
             caused by: service \"late\" timed out in run (cycle 1, attempt 1)\n  \
             caused by: not ready after 50ms: ";
        let says = ended.stderr.strip_prefix(begins);
        let late = if kind == "late" {
            "never is starting"
        } else {
            "never99 is starting"
        };
        assert!(says.is_some_and(|says| says.contains(late)), "{ended:?}");
        assert_eq!(ended.code, Some(1));
    }
}

#[tokio::test]
async fn a_program_that_fails_ends_although_nobody_reads_why() {
    for (runtime, entry) in [("2", "run"), ("current", "run"), ("own", "main")] {
        let mut program = signalled(&[runtime, entry, "failing", "stays"]);
        program.stop_listening().await;
        program.prints("returned").await;

        let args = [runtime, entry, "failing", "fills stderr"];
        let program = Program::start_unread(env!("CARGO_BIN_EXE_signalled"), &args);
        let ended = program.end().await;
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(78), "returned\n")
        );
    }
}

#[tokio::test]
async fn a_stuck_program_ends_although_nobody_reads_what_is_stuck() {
    for runtime in RUNTIMES {
        let args = [runtime, "run", "blocked", "fills stderr"];
        let mut program = Program::start_unread(env!("CARGO_BIN_EXE_signalled"), &args);
        program.prints("running").await;
        program.signal("TERM").await;
        assert_eq!(program.end().await.code, Some(1));
    }
}
