//! The end of children where the program is left by force: the test runs itself again to be left.

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use startstop_core::{Context, Group, Member, Settings, main_on, service_fn};
use startstop_process::Subreaper;

use crate::support::{Folder, is_alive, sh};

const WITHIN: &str = "STARTSTOP_TEST_LEAVING";

const NAME: &str = "leaving::no_child_outlives_a_program_that_is_left_by_force";

/// A child, and a service that blocks the only thread once it is told to stop.
fn stuck(script: &str) -> ExitCode {
    let _reaper = Subreaper::install().unwrap();
    let blocks = service_fn(async |cx: Context| {
        cx.cancelled().await;
        let () = std::future::poll_fn(|_| {
            loop {
                std::thread::park();
            }
        })
        .await;
    });
    let millis = Duration::from_millis;
    let soon = Settings::new()
        .stop_timeout(millis(200))
        .abort_timeout(millis(200));
    let group = Group::builder("app").with("child", sh(script)).with(
        "blocks",
        Member::new(blocks).settings(soon).after(["child"]),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    main_on(runtime.unwrap(), group.build().unwrap())
}

#[test]
fn no_child_outlives_a_program_that_is_left_by_force() {
    if let Some(script) = std::env::var_os(WITHIN) {
        let _ = stuck(script.to_str().unwrap());
        unreachable!("it is left by force");
    }
    let folder = Folder::new("leaving");
    let script = format!(
        "trap '' TERM; setsid sh -c 'echo $$ >{orphan}; exec sleep 1000' & sh -c 'echo $$ >{other}; exec sleep 1000' & \
         while ! [ -s {orphan} -a -s {other} ]; do sleep 0.01; done; echo $$ >{child}; exec sleep 1000",
        child = folder.path("child"),
        other = folder.path("other"),
        orphan = folder.path("orphan"),
    );
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME])
        .env(WITHIN, script)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let read = |name: &str| loop {
        match std::fs::read_to_string(folder.path(name)) {
            Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let pids = ["child", "other", "orphan"].map(read);
    let told = Command::new("kill").arg(program.id().to_string()).status();
    assert!(told.unwrap().success());
    assert_eq!(program.wait().unwrap().code(), Some(1));
    // What is killed ends when the system gets to it.
    let alive = || pids.iter().filter(|pid| is_alive(pid)).collect::<Vec<_>>();
    let begin = Instant::now();
    while !alive().is_empty() && begin.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let alive = alive();
    drop(
        Command::new("kill")
            .arg("-KILL")
            .args(&pids)
            .stderr(Stdio::null())
            .status(),
    );
    assert!(alive.is_empty(), "{alive:?} of {pids:?}");
}
