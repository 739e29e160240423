//! The program `startstop-run`.

use std::fs;
use std::process::{Command, Output};

use crate::support::{Folder, is_alive};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_startstop-run")).args(args).output().unwrap()
}

#[test]
fn check_only_reads() {
    let folder = Folder::new("check");
    let (good, bad) = (folder.path("good.toml"), folder.path("bad.toml"));
    fs::write(&good, format!("[process.a]\ncommand = 'touch {}'\n", folder.path("ran"))).unwrap();
    fs::write(&bad, "[process.a]\ncommnd = 'true'\n").unwrap();
    assert_eq!(run(&["--check", &good]).status.code(), Some(0));
    assert!(!fs::exists(folder.path("ran")).unwrap());
    for args in [&["--check", &bad][..], &[&bad]] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains(&format!("{bad}:2:1: unknown key `commnd`; did you mean `command`?\n")),
            "{said}"
        );
    }
    assert_eq!(run(&["/no/such/file"]).status.code(), Some(2));
    assert_eq!(run(&[]).status.code(), Some(2));
}

#[test]
fn a_procfile_ends_with_the_first_that_ends() {
    let folder = Folder::new("procfile");
    let path = folder.path("Procfile");
    fs::write(&path, "# two\nweb: sleep 1000\nquick: sleep 0.1; echo port $PORT\n").unwrap();
    let output = run(&[&path]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "quick | port 5100\n");
}

#[test]
fn a_signal_stops_all_and_the_code_is_0() {
    let folder = Folder::new("signal");
    let path = folder.path("app.toml");
    let pid = folder.path("pid");
    fs::write(&path, format!("[process.a]\ncommand = 'echo $$ >{pid}; exec sleep 1000'\n"))
        .unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_startstop-run")).arg(&path).spawn().unwrap();
    let child = loop {
        match fs::read_to_string(&pid) {
            Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
            _ => std::thread::yield_now(),
        }
    };
    // Both are told, as under a service manager.
    Command::new("kill").args([&child, &program.id().to_string()]).status().unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(0));
    assert!(!is_alive(&child));
}

/// In a pid namespace of its own.
#[test]
fn as_pid_1_it_reaps_orphans_and_forwards_signals() {
    let folder = Folder::new("pid1");
    let (path, stat) = (folder.path("app.toml"), folder.path("stat"));
    let script = format!(
        "setsid sh -c 'sleep 0.1 & exit' & sleep 0.5; \
         grep -l '^State:.Z' /proc/[0-9]*/status | wc -l >{stat}; kill -TERM 1; exec sleep 1000"
    );
    fs::write(&path, format!("[process.a]\ncommand = \"{script}\"\n")).unwrap();
    let program = env!("CARGO_BIN_EXE_startstop-run");
    let status = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", program, &path])
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(fs::read_to_string(stat).unwrap(), "0\n");
}
