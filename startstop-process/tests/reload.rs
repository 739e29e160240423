//! Reloads of a child.

use std::time::Duration;

use startstop_core::{ReloadError, Runner, Settings};
use startstop_process::{Output, Process, Ready, Signal, Stream};

use crate::support::{Folder, errors, is_alive, runner, sh};

async fn started(process: Process) -> Runner<Process> {
    let runner = runner(process);
    runner.start().await.unwrap();
    runner
}

#[tokio::test]
async fn a_signal_is_sent_to_the_leader() {
    let folder = Folder::new("reload-signal");
    let script = format!(
        "trap 'echo heard >{}' USR1; echo up; while :; do sleep 0.01; done",
        folder.path("heard")
    );
    let child = sh(&script)
        .ready(Ready::line("up"))
        .reload_signal(Signal::USR1);
    let runner = started(child).await;
    runner.reload().await.unwrap();
    assert_eq!(folder.read("heard").await, "heard");
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_command_knows_the_child_and_its_end_is_the_answer() {
    let folder = Folder::new("reload-command");
    let script = format!("echo $MAINPID $SIGN >{}", folder.path("said"));
    let pid = format!("echo $$ >{}; exec sleep 1000", folder.path("pid"));
    let child = sh(&pid)
        .env("SIGN", "yes")
        .reload_command(["sh", "-c", &script]);
    let runner = started(child).await;
    let pid = folder.read("pid").await;
    runner.reload().await.unwrap();
    assert_eq!(folder.read("said").await, format!("{pid} yes"));
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_command_that_fails_is_a_reload_that_fails_and_the_child_goes_on() {
    for (command, said) in [
        (
            &["sh", "-c", "exit 3"][..],
            "the reload command exited with code 3",
        ),
        (&["no-such-command"], "No such file or directory"),
        (
            &["sh", "-c", "kill $$"],
            "the reload command was ended by SIGTERM",
        ),
    ] {
        let runner = started(sh("exec sleep 1000").reload_command(command.to_vec())).await;
        let Err(ReloadError::Failed(failure)) = runner.reload().await else {
            panic!("{said}")
        };
        assert!(failure.error().to_string().contains(said), "{failure:?}");
        assert!(runner.is_running());
        runner.stop().await.unwrap();
    }
}

#[tokio::test]
async fn the_output_of_a_command_goes_where_that_of_the_child_does_and_a_failure_has_its_last_line()
{
    let (sender, mut said) = tokio::sync::mpsc::unbounded_channel();
    let output = Output::lines(move |line| drop(sender.send(line)));
    let script = "echo reads; echo no luck >&2; exit 3";
    let child = sh("echo up; exec sleep 1000")
        .output(output)
        .reload_command(["sh", "-c", script]);
    let runner = started(child).await;
    let mut line = async || said.recv().await.unwrap();
    let up = line().await;
    assert_eq!(up.text, "up");
    let Err(ReloadError::Failed(failure)) = runner.reload().await else {
        panic!("it does not fail")
    };
    let text = failure.error().to_string();
    assert_eq!(text, "the reload command exited with code 3: no luck");
    let mut lines = [line().await, line().await];
    lines.sort_by(|a, b| a.text.cmp(&b.text));
    let [no_luck, reads] = lines;
    assert_eq!(
        (no_luck.text.as_str(), no_luck.stream),
        ("no luck", Stream::Stderr)
    );
    assert_eq!(
        (reads.text.as_str(), reads.stream),
        ("reads", Stream::Stdout)
    );
    assert_eq!((reads.name, reads.path), (up.name, up.path));
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_command_that_floods_or_leaves_somebody_behind_holds_nothing_up() {
    let script = "setsid sleep 60 & yes | head -c 1000000 >&2";
    for output in [Output::null(), Output::lines(drop)] {
        let child = sh("exec sleep 1000").reload_command(["sh", "-c", script]);
        let runner = started(child.output(output)).await;
        let reload = tokio::time::timeout(Duration::from_secs(40), runner.reload());
        reload.await.expect("it waits for the pipe").unwrap();
        let stop = tokio::time::timeout(Duration::from_secs(10), runner.stop());
        stop.await.expect("the stop waits for the pipe").unwrap();
    }
}

#[tokio::test]
async fn a_command_that_hangs_holds_up_neither_a_stop_nor_the_end_of_the_child() {
    let folder = Folder::new("reload-hangs");
    let hangs = format!("sleep 1000 & echo $! >{}; wait", folder.path("pid"));
    let child = sh("trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done")
        .ready(Ready::line("up"))
        .reload_command(["sh", "-c", &hangs]);
    let patient = Settings::new().stop_timeout(Duration::from_secs(600));
    let runner = Runner::with_settings(child, patient);
    runner.start().await.unwrap();
    let reload = tokio::spawn({
        let runner = runner.clone();
        async move { runner.reload().await }
    });
    let pid = folder.read("pid").await;
    let stop = tokio::time::timeout(Duration::from_secs(60), runner.stop());
    stop.await.expect("the stop waits for the command").unwrap();
    assert!(matches!(reload.await.unwrap(), Err(ReloadError::Stopped)));
    assert!(errors(&runner).is_empty());
    assert!(!is_alive(&pid), "the command is left behind");
}

#[tokio::test]
async fn without_a_setting_it_is_not_supported() {
    let runner = started(sh("exec sleep 1000")).await;
    assert!(matches!(
        runner.reload().await,
        Err(ReloadError::NotSupported)
    ));
    runner.stop().await.unwrap();
}
