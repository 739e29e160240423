//! Scripts that name no interpreter.

use startstop_core::Runner;
use startstop_process::Process;

use super::{error_of, write};
use crate::support::Folder;

/// `execvp` and `sh` would have a shell run it.
#[tokio::test]
async fn a_script_without_an_interpreter_is_refused_with_each_setting() {
    let folder = Folder::new("bare");
    let bare = write(&folder, "bare", "echo hello\n", 0o755);
    let process = || Process::new(&bare);
    let path = format!("{}:/bin:/usr/bin", folder.0.display());
    let with_each_setting = [
        process().cwd("/"),
        process().umask(0o22),
        process().nice(1),
        process().session(),
        process().limit_files(77),
        process().uid(65534),
        process().gid(65534),
        process().env_clear(),
        Process::new("bare").env("PATH", &path),
        Process::new("bare").env("PATH", &path).session(),
        Process::new(write(&folder, "empty", "", 0o755)).session(),
    ];
    for process in with_each_setting {
        let error = error_of(process).await;
        let expected = "it is neither a program nor begins with `#!`";
        assert!(error.ends_with(expected), "{error}");
    }
    for user in [0, 65534] {
        let sleeps = Process::new("sleep").arg("1000").reload_command([&bare]);
        let runner = Runner::new(sleeps.uid(user));
        runner.start().await.unwrap();
        assert!(runner.reload().await.is_err());
        runner.stop().await.unwrap();
    }
}
