//! Survivors of a SIGKILL of this process, with a subreaper too: the test runs itself again to be killed.

use std::process::{Command, Stdio};

use startstop_process::Subreaper;

use crate::support::{Folder, is_alive, runner, sh};

const WITHIN: &str = "STARTSTOP_TEST_KILLED";

#[tokio::test]
async fn children_and_orphans_of_a_subreaper_that_is_killed_stay() {
    if let Some(script) = std::env::var_os(WITHIN) {
        let _reaper = Subreaper::install().unwrap();
        let runner = runner(sh(script.to_str().unwrap()));
        runner.start().await.unwrap();
        return std::future::pending().await;
    }
    let folder = Folder::new("killed");
    let script = format!(
        "echo $$ >{child}; setsid sh -c 'echo $$ >{orphan}; exec sleep 1000' & exec sleep 1000",
        child = folder.path("child"),
        orphan = folder.path("orphan"),
    );
    let name = "killed::children_and_orphans_of_a_subreaper_that_is_killed_stay";
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(WITHIN, script)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (child, orphan) = (folder.read("child").await, folder.read("orphan").await);
    program.kill().unwrap();
    program.wait().unwrap();
    for pid in [&child, &orphan] {
        assert!(is_alive(pid), "{pid} has ended with its supervisor");
    }
    let killed = Command::new("kill")
        .args(["-KILL", &child, &orphan])
        .status();
    assert!(killed.unwrap().success());
}
