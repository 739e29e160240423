//! Children that leave by themselves.

use std::time::Duration;

use startstop_core::{Backoff, Exit, RestartPolicy, Runner, Settings};
use startstop_process::{ProcessError, Signal};

use crate::support::{Folder, is_alive, last_error, runner, sh};

#[tokio::test]
async fn a_success_code_completes() {
    let runner = runner(sh("exit 7").success_codes([7]));
    runner.start().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Completed);
}

#[tokio::test]
async fn another_code_fails_with_the_last_lines() {
    let runner = runner(sh(
        "for n in $(seq 1 30); do echo line $n >&2; done; printf unfinished >&2; exit 3",
    ));
    let _ = runner.start().await;
    assert_eq!(runner.wait().await, Exit::Failed);
    last_error(&runner, |error| {
        let ProcessError::Exited { code: 3, tail } = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            (tail.len(), tail[0].as_str(), tail[19].as_str()),
            (20, "line 12", "unfinished")
        );
        assert_eq!(error.to_string(), "exited with code 3: unfinished");
    });
}

#[tokio::test]
async fn a_signal_that_nobody_asked_for_fails() {
    for (name, signal) in [("KILL", Signal::KILL), ("TERM", Signal::TERM)] {
        let runner = runner(sh(&format!("kill -{name} $$")));
        let _ = runner.start().await;
        assert_eq!(runner.wait().await, Exit::Failed);
        last_error(&runner, |error| {
            assert!(
                matches!(error, ProcessError::Signalled { signal: found, .. } if *found == signal)
            );
        });
    }
}

#[tokio::test]
async fn the_attempt_ends_when_the_group_is_empty_and_the_code_of_the_leader_counts() {
    let folder = Folder::new("rest");
    let runner = runner(sh(&format!(
        "sleep 1000 & echo $! >{}; exit 5",
        folder.path("pid")
    )));
    let _ = runner.start().await;
    assert_eq!(runner.wait().await, Exit::Failed);
    last_error(&runner, |error| {
        assert!(matches!(error, ProcessError::Exited { code: 5, .. }));
    });
    assert!(!is_alive(&folder.read("pid").await));
}

#[tokio::test]
async fn a_process_that_is_left_and_ignores_the_signal_is_killed_within_the_stop_timeout() {
    let folder = Folder::new("deaf-rest");
    let child = sh(&format!(
        "(trap '' TERM; echo up; exec sleep 1000) & echo $! >{}; sleep 0.2; exit 0",
        folder.path("pid")
    ));
    let runner = Runner::with_settings(child, Settings::new().stop_timeout(Duration::from_secs(5)));
    runner.start().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Completed);
    assert!(!is_alive(&folder.read("pid").await));
}

#[tokio::test]
async fn a_process_that_is_left_and_leaves_the_group_is_waited_for_no_longer() {
    let folder = Folder::new("leaves-later");
    let script = format!(
        "import os, signal, time\n\
         if os.fork(): os._exit(0)\n\
         signal.signal(signal.SIGTERM, lambda *_: os.setsid())\n\
         print(os.getpid(), file=open({:?}, 'w'), flush=True)\n\
         while True: time.sleep(0.01)",
        folder.path("pid")
    );
    let wait = format!("; until [ -s {} ]; do sleep 0.01; done", folder.path("pid"));
    let child = sh(&format!("python3 -c \"$SCRIPT\"{wait}")).env("SCRIPT", script);
    let runner = Runner::with_settings(
        child,
        Settings::new().stop_timeout(Duration::from_secs(600)),
    );
    runner.start().await.unwrap();
    let exit = tokio::time::timeout(Duration::from_secs(20), runner.wait()).await;
    let pid = folder.read("pid").await;
    assert_eq!((exit, is_alive(&pid)), (Ok(Exit::Completed), true));
    let kill = std::process::Command::new("kill")
        .args(["-KILL", &pid])
        .status();
    assert!(kill.unwrap().success());
}

#[tokio::test]
async fn one_who_has_left_the_group_and_holds_the_pipe_holds_nothing_up() {
    let folder = Folder::new("left");
    // The leader leaves when the other one has left the group, and not before.
    let script = format!(
        "setsid sh -c 'echo $$ >{0}; exec sleep 1000' & until [ -s {0} ]; do sleep 0.01; done; exit 0",
        folder.path("pid")
    );
    let runner = runner(sh(&script));
    runner.start().await.unwrap();
    let exit = tokio::time::timeout(Duration::from_secs(20), runner.wait())
        .await
        .unwrap();
    let pid = folder.read("pid").await;
    assert_eq!((exit, is_alive(&pid)), (Exit::Completed, true));
    std::process::Command::new("kill")
        .arg(pid)
        .status()
        .unwrap();
}

#[tokio::test]
async fn a_policy_restarts_it() {
    let policy = RestartPolicy::on_failure()
        .backoff(Backoff::none())
        .limit(3, Duration::from_secs(60));
    let runner = runner(sh("exit 1").settings(Settings::new().restart(policy)));
    let _ = runner.start().await;
    runner.wait().await;
    assert_eq!(runner.status().attempts(), 4);
}

#[tokio::test]
async fn a_signal_without_a_name_is_told_by_its_number() {
    let runner = runner(sh("kill -40 $$; sleep 1000"));
    let _ = runner.start().await;
    assert_eq!(runner.wait().await, Exit::Failed);
    last_error(&runner, |error| {
        assert_eq!(error.to_string(), "ended by signal 40");
        assert!(
            matches!(error, ProcessError::Signalled { signal, .. } if signal.number() == 40),
            "{error:?}"
        );
    });
}
