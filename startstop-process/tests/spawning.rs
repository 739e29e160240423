//! Processes that cannot be spawned, and how others begin.

mod input;
mod scripts;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use startstop_core::{Readiness, Runner, Settings};
use startstop_process::{Output, Process, ProcessError};

use crate::support::{Folder, last_error, runner, sh};

fn write(folder: &Folder, name: &str, text: &str, mode: u32) -> String {
    let path = folder.path(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

async fn error_of(process: Process) -> String {
    let runner = runner(process);
    runner.start().await.unwrap_err();
    last_error(&runner, |error| match error {
        ProcessError::Spawn { .. } => error.to_string(),
        other => panic!("{other:?}"),
    })
}

#[tokio::test]
async fn a_program_that_is_not_there_fails_the_start() {
    for process in [
        Process::new("no-such-program"),
        Process::new("/no/such"),
        Process::new("no-such").umask(0o22),
    ] {
        let runner = runner(process);
        runner.start().await.unwrap_err();
        last_error(&runner, |error| {
            assert!(matches!(error, ProcessError::NotFound { .. }), "{error:?}");
        });
    }
}

#[tokio::test]
async fn the_obstacle_to_a_spawn_is_told() {
    let folder = Folder::new("obstacles");
    let plain = write(&folder, "plain", "#!/bin/sh\n", 0o644);
    assert!(
        error_of(Process::new(&plain))
            .await
            .ends_with("it is not executable")
    );
    assert!(
        error_of(Process::new(&plain).nice(1))
            .await
            .ends_with("it is not executable")
    );
    let lost = write(&folder, "lost", "#!/no/such/interpreter -x\n", 0o755);
    let error = error_of(Process::new(lost)).await;
    assert!(
        error.ends_with("its interpreter /no/such/interpreter is not there"),
        "{error}"
    );
    let windows = write(&folder, "windows", "#!\t/bin/sh\r\necho hello\r\n", 0o755);
    for process in [Process::new(&windows), Process::new(&windows).session()] {
        let error = error_of(process).await;
        let expected = "its interpreter /bin/sh\\r is not there";
        assert!(error.ends_with(expected), "{error}");
    }
    let nameless = write(&folder, "nameless", "#! \n", 0o755);
    let error = error_of(Process::new(nameless)).await;
    assert!(
        error.ends_with("it names no interpreter behind `#!`"),
        "{error}"
    );
    let error = error_of(Process::new(&folder.0)).await;
    assert!(error.ends_with("it is a folder"), "{error}");
    let bare = write(&folder, "bare", "echo hello\n", 0o755);
    assert!(
        error_of(Process::new(bare))
            .await
            .contains("neither a program nor")
    );
    let error = error_of(Process::new("true").cwd("/no/such/folder")).await;
    assert!(
        error.ends_with("its working directory /no/such/folder is not there"),
        "{error}"
    );
    let error = error_of(Process::new("true").cwd("/etc/passwd")).await;
    assert!(
        error.ends_with("its working directory /etc/passwd is no directory"),
        "{error}"
    );
}

/// Returns the lines of a script that runs to its end.
async fn printed(process: Process) -> Vec<String> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let process = process.output(Output::lines(move |line| sender.send(line.text).unwrap()));
    let settings = Settings::new().readiness(Readiness::Completion);
    Runner::with_settings(process, settings)
        .start()
        .await
        .unwrap();
    // It ends with the reader of the lines, when the last has been handed on.
    receiver.iter().collect()
}

#[tokio::test]
async fn a_child_has_the_environment_folder_and_input_that_were_set() {
    let script = "pwd; echo $A $B; cat; echo ${NOTIFY_SOCKET:-none}";
    let child = sh(script)
        .cwd("/")
        .env("A", "1")
        .env("B", "2")
        .env_remove("A")
        .stdin("text\n");
    assert_eq!(printed(child).await, ["/", "2", "text", "none"]);
    let bare = Process::new("/usr/bin/env").env_clear().env("ONE", "1");
    assert_eq!(printed(bare).await, ["ONE=1"]);
}

#[tokio::test]
async fn limits_umask_niceness_and_session_are_set() {
    let script = "ulimit -n; ulimit -v; umask; nice; cut -d' ' -f1,5,6 /proc/self/stat >/dev/null; \
                  set -- $(cat /proc/$$/stat); [ $1 = $6 ] && echo leads a session";
    let child = sh(script)
        .limit_files(77)
        .limit_memory(1 << 30)
        .umask(0o27)
        .nice(3)
        .session();
    let lines = printed(child).await;
    assert_eq!(lines, ["77", "1048576", "0027", "3", "leads a session"]);
}

#[tokio::test]
async fn a_child_leads_a_group_of_its_own() {
    let lines = printed(sh("set -- $(cat /proc/$$/stat); echo $(($1 - $5))")).await;
    assert_eq!(lines, ["0"]);
}

/// The rights of this user say nothing of those of another one.
#[tokio::test]
async fn what_the_user_of_a_child_may_not_do_is_told() {
    let folder = Folder::new("forbidden");
    fs::set_permissions(&folder.0, Permissions::from_mode(0o700)).unwrap();
    let program = write(&folder, "program", "#!/bin/sh\n", 0o755);
    let shown = folder.0.display();
    let expected = format!("user 65534 may not enter {shown}");
    for process in [
        Process::new("true").cwd(&folder.0),
        Process::new(&program),
        Process::new("./program").cwd(&folder.0),
    ] {
        let error = error_of(process.uid(65534)).await;
        assert!(error.ends_with(&expected), "{error}");
    }
    fs::set_permissions(&folder.0, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
    let error = error_of(Process::new(&program).uid(65534)).await;
    assert!(error.ends_with("user 65534 may not run it"), "{error}");
}

#[tokio::test]
async fn a_child_runs_as_the_user_that_was_set() {
    let lines = printed(sh("id -u; id -g; id -G").uid(65534).gid(65534)).await;
    assert_eq!(lines, ["65534", "65534", "65534"]);
}

#[tokio::test]
async fn a_child_of_another_user_is_less_nice_by_the_rights_of_this_process() {
    let script = "nice; id -u; umask";
    let child = || sh(script).uid(65534).gid(65534);
    assert_eq!(
        printed(child().nice(-7).umask(0o27)).await,
        ["-7", "65534", "0027"]
    );
    // No number is too large.
    let lines = printed(child().nice(i32::MIN).session()).await;
    assert_eq!(lines[..2], ["-20", "65534"]);
    assert_eq!(printed(sh(script).nice(i32::MAX)).await[0], "19");
    assert_eq!(printed(sh(script)).await[0], "0");
}

/// `CAP_SYS_RESOURCE`, among the rights of a process.
const SYS_RESOURCE: u64 = 1 << 24;

/// Returns whether this process may raise its hard limit of files to so many.
fn may_raise(files: u64) -> bool {
    let most = fs::read_to_string("/proc/sys/fs/nr_open").unwrap();
    let most: u64 = most.trim().parse().unwrap();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mut lines = status.lines();
    let rights = lines.find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    let rights = u64::from_str_radix(rights.trim(), 16).unwrap();
    rights & SYS_RESOURCE != 0 && files <= most
}

/// Returns the hard limit of the files of this process, which is a number.
fn hard_limit() -> u64 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let mut lines = limits.lines();
    let files = lines.find_map(|line| line.strip_prefix("Max open files"));
    let hard = files.unwrap().split_whitespace().nth(1).unwrap();
    hard.parse().unwrap()
}

#[tokio::test]
async fn a_limit_above_the_hard_one_is_raised_by_the_rights_of_this_process() {
    let above = hard_limit() + 1;
    for user in [0, 65534] {
        let child = sh("ulimit -n; ulimit -Hn; id -u")
            .limit_files(above)
            .uid(user);
        if may_raise(above) {
            let expected = [above.to_string(), above.to_string(), user.to_string()];
            assert_eq!(printed(child.nice(-3)).await, expected);
        } else {
            let text = error_of(child.nice(-3).success_codes([0, 2])).await;
            let expected = format!("its limit of files cannot be raised to {above}");
            assert!(text.ends_with(&expected), "{text}");
        }
    }
}

#[tokio::test]
async fn the_last_of_two_limits_counts() {
    let child = sh("ulimit -n; ulimit -Hn").limit_files(64).limit_files(77);
    assert_eq!(printed(child.uid(65534)).await, ["77", "77"]);
}

#[tokio::test]
async fn a_child_that_is_to_end_with_its_parent_outlives_its_spawn() {
    let child = || Process::new("setpriv").args(["--pdeathsig", "KILL", "sleep", "0.3"]);
    let job = || Settings::new().readiness(Readiness::Completion);
    let runners: Vec<_> = (0..20)
        .map(|_| Runner::with_settings(child().nice(1), job()))
        .collect();
    for runner in &runners {
        runner.request_start();
    }
    for runner in &runners {
        assert_eq!(runner.wait().await, startstop_core::Exit::Completed);
    }
}

#[tokio::test]
async fn what_sets_limits_runs_the_program_that_would_run_without() {
    let folder = Folder::new("relative");
    write(&folder, "script", "#!/bin/sh\necho it is this one\n", 0o755);
    let depth = std::env::current_dir().unwrap().components().count() - 1;
    let relative = format!(
        "{}{}",
        "../".repeat(depth),
        folder.0.strip_prefix("/").unwrap().display()
    );
    let script = || {
        Process::new("./script")
            .cwd(&relative)
            .env("PATH", "/no/such/folder")
    };
    for process in [
        script(),
        script().umask(0o22),
        script().nice(1),
        script().session(),
        script().limit_files(77),
    ] {
        assert_eq!(
            printed(process.clone()).await,
            ["it is this one"],
            "{process:?}"
        );
    }
    write(&folder, "script", "#!/no/such/interpreter\n", 0o755);
    for process in [script(), script().nice(1)] {
        let text = error_of(process).await;
        assert!(
            text.contains("its interpreter /no/such/interpreter is not there"),
            "{text}"
        );
    }
}
