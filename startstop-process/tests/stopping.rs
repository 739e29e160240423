//! The stop path: signal, the rest of the group, KILL before the deadline.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use startstop_core::{Context, Exit, Runner, Service, Settings};
use startstop_process::{Process, ProcessError, Ready, Signal};
use tokio::sync::Notify;

use crate::support::{Folder, errors, is_alive, is_there, last_error, python, runner, sh};

#[tokio::test]
async fn to_end_by_the_stop_signal_is_a_success() {
    let runner = runner(sh("exec sleep 1000"));
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    assert_eq!(
        (runner.wait().await, errors(&runner).len()),
        (Exit::Stopped, 0)
    );
}

#[tokio::test]
async fn a_code_counts_after_a_stop_too() {
    let script = "trap 'exit 3' USR1; echo up; while :; do sleep 0.01; done";
    let child = || {
        sh(script)
            .ready(Ready::line("up"))
            .stop_signal(Signal::USR1)
    };
    let fails = runner(child());
    fails.start().await.unwrap();
    fails.stop().await.unwrap_err();
    last_error(&fails, |error| {
        assert!(matches!(error, ProcessError::Exited { code: 3, .. }));
    });
    let succeeds = runner(child().success_codes([0, 3]));
    succeeds.start().await.unwrap();
    succeeds.stop().await.unwrap();
}

#[tokio::test]
async fn a_signal_of_real_time_stops_a_child_and_what_is_left_of_its_group() {
    let folder = Folder::new("real-time");
    // The handler of the leader makes it leave with a code, and the signal ends the one that it leaves.
    let script = format!(
        "import os, signal, subprocess, sys, time\n\
         signal.signal(37, lambda *_: sys.exit(7))\n\
         rest = subprocess.Popen(['sleep', '1000'])\n\
         open('{}', 'w').write(str(rest.pid) + '\\n')\n\
         while True: time.sleep(0.01)",
        folder.path("pid")
    );
    let child = python(&script)
        .stop_signal("SIGRTMIN+3".parse().unwrap())
        .success_codes([7]);
    let runner = runner(child);
    runner.start().await.unwrap();
    let rest = folder.read("pid").await;
    runner.stop().await.unwrap();
    assert!(!is_alive(&rest));
    assert_eq!(errors(&runner).len(), 0);
}

#[tokio::test]
async fn to_end_by_a_stop_signal_of_real_time_is_a_success() {
    let runner = runner(sh("exec sleep 1000").stop_signal(Signal::real_time(0).unwrap()));
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    assert_eq!(errors(&runner).len(), 0);
}

#[tokio::test]
async fn a_child_that_ignores_the_signal_is_told_of_and_killed_before_the_deadline() {
    let runner =
        runner(sh("trap '' TERM; echo up; while :; do sleep 0.1; done").ready(Ready::line("up")));
    runner.start().await.unwrap();
    runner
        .stop_within(Duration::from_secs(5))
        .await
        .unwrap_err();
    last_error(&runner, |error| {
        assert!(
            matches!(
                error,
                ProcessError::Signalled {
                    signal: Signal::KILL,
                    ..
                }
            ),
            "{error:?}"
        );
    });
    assert_eq!(errors(&runner)[0], "it ignores SIGTERM, its stop signal");
    assert_eq!(runner.wait().await, Exit::Failed);
}

#[tokio::test]
async fn a_grandchild_that_ignores_the_signal_is_killed_with_the_group() {
    let folder = Folder::new("grandchild");
    let script = format!(
        "(trap '' TERM; echo $$ >/dev/null; exec sleep 1000) & echo $! >{}; echo up; wait",
        folder.path("pid")
    );
    let runner = runner(sh(&script).ready(Ready::line("up")));
    runner.start().await.unwrap();
    let pid = folder.read("pid").await;
    // Wait until the trap is set.
    while !ignores_term(&pid) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    runner.stop_within(Duration::from_secs(5)).await.unwrap();
    assert!(!is_alive(&pid));
}

/// It joins the group of its parent, and leaves another one in its own.
#[tokio::test]
async fn a_leader_that_has_left_its_group_is_killed_with_it() {
    let folder = Folder::new("leader-left");
    let script = format!(
        "import os, signal, subprocess, time\n\
         signal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
         rest = subprocess.Popen(['sleep', '1000'])\n\
         os.setpgid(0, os.getpgid(os.getppid()))\n\
         open('{}', 'w').write(str(rest.pid) + '\\n')\n\
         time.sleep(1000)",
        folder.path("pid")
    );
    let runner = runner(python(&script));
    runner.start().await.unwrap();
    let rest = folder.read("pid").await;
    let stopped = runner.stop_within(Duration::from_secs(3)).await;
    assert!(stopped.is_err());
    last_error(&runner, |error| {
        let is_killed =
            matches!(error, ProcessError::Signalled { signal, .. } if *signal == Signal::KILL);
        assert!(is_killed, "{error:?}");
    });
    assert!(!is_alive(&rest));
}

fn ignores_term(pid: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.is_some_and(|set| u64::from_str_radix(set.trim(), 16).unwrap() & (1 << 14) != 0)
}

#[tokio::test]
async fn a_stopped_child_goes_on_to_hear_the_signal() {
    let folder = Folder::new("stopped");
    let script = format!(
        "echo $$ >{}; kill -STOP $$; exec sleep 1000",
        folder.path("pid")
    );
    let runner = runner(sh(&script));
    runner.start().await.unwrap();
    let pid = folder.read("pid").await;
    runner.stop().await.unwrap();
    assert!(!is_there(&pid));
}

/// A process whose `run` is being polled while the stop is asked for, and goes on in that poll, as on a busy machine.
struct Polled {
    process: Process,
    polls: Notify,
    entered: Notify,
}

impl Service for Polled {
    type Error = ProcessError;

    async fn run(&self, cx: Context) -> Result<(), ProcessError> {
        let mut run = pin!(self.process.run(cx.clone()));
        let mut poll = pin!(self.polls.notified());
        poll_fn(|task| {
            if poll.as_mut().poll(task).is_pending() {
                return run.as_mut().poll(task);
            }
            self.entered.notify_one();
            while !cx.is_cancelled() {
                std::thread::yield_now();
            }
            let _ = run.as_mut().poll(task);
            // Killed processes have ended by now.
            std::thread::sleep(Duration::from_millis(100));
            run.as_mut().poll(task)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_without_time_is_no_failure_when_run_sees_it_before_the_abort() {
    let runner = Runner::new(Polled {
        process: sh("trap '' TERM; while :; do sleep 0.01; done"),
        polls: Notify::new(),
        entered: Notify::new(),
    });
    runner.start().await.unwrap();
    let service = runner.service();
    service.polls.notify_one();
    service.entered.notified().await;
    runner.stop_within(Duration::ZERO).await.unwrap();
    assert_eq!(runner.wait().await, Exit::Aborted);
}

#[tokio::test]
async fn a_stop_that_may_take_for_ever_waits_for_the_child_and_for_what_it_leaves() {
    let slow = "trap 'sleep 5.5; exit 0' TERM; echo up; while :; do sleep 0.01; done";
    let forever = || Settings::new().stop_timeout(Duration::MAX);
    let slow = Runner::with_settings(sh(slow).ready(Ready::line("up")), forever());
    let left = sh("trap '' TERM; sleep 6 & trap - TERM; echo up; exec sleep 1000");
    let left = Runner::with_settings(left.ready(Ready::line("up")), forever());
    let (slow, left) = tokio::join!(
        async {
            slow.start().await.unwrap();
            slow.stop().await
        },
        async {
            left.start().await.unwrap();
            let began = std::time::Instant::now();
            left.stop().await.map(|()| began.elapsed())
        }
    );
    slow.unwrap();
    assert!(left.unwrap() > Duration::from_secs(5));
}

#[tokio::test]
async fn an_abort_kills_the_group() {
    let folder = Folder::new("abort");
    let script = format!(
        "trap '' TERM; sleep 1000 & echo $! >{}; wait",
        folder.path("pid")
    );
    let runner = runner(sh(&script));
    runner.start().await.unwrap();
    let pid = folder.read("pid").await;
    runner.stop_within(Duration::ZERO).await.unwrap();
    assert_eq!(runner.wait().await, Exit::Aborted);
    assert!(!is_alive(&pid));
}

#[tokio::test]
async fn a_hard_stop_overtakes_a_running_grace() {
    let child = sh("trap '' TERM; echo up; while :; do sleep 0.1; done").ready(Ready::line("up"));
    let runner = Runner::with_settings(
        child,
        Settings::new().stop_timeout(Duration::from_secs(600)),
    );
    runner.start().await.unwrap();
    let slow = runner.clone();
    let slow = tokio::spawn(async move { slow.stop().await });
    while errors(&runner).is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    runner
        .stop_within(Duration::from_secs(5))
        .await
        .unwrap_err();
    slow.await.unwrap().unwrap_err();
    last_error(&runner, |error| {
        assert!(matches!(error, ProcessError::Signalled { .. }));
    });
}

#[tokio::test]
async fn a_child_that_was_told_as_well_has_not_failed() {
    let folder = Folder::new("told");
    let runner = runner(sh(&format!(
        "echo $$ >{}; exec sleep 1000",
        folder.path("pid")
    )));
    runner.start().await.unwrap();
    let pid = folder.read("pid").await;
    // Signal the child as well, as a service manager does that signals the whole control group.
    std::process::Command::new("kill")
        .arg(&pid)
        .status()
        .unwrap();
    while is_alive(&pid) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    runner.stop().await.unwrap();
    assert_eq!(
        (runner.wait().await, errors(&runner).len()),
        (Exit::Stopped, 0)
    );
}

#[tokio::test]
async fn a_child_that_wants_the_terminal_is_stopped_like_any_other() {
    let script = "import os, signal, sys\nsys.stdout.write('up\\n'); sys.stdout.flush()\n\
                  os.kill(os.getpid(), signal.SIGTTIN)\nsignal.pause()";
    let runner = runner(python(script).ready(Ready::line("up")));
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
}
