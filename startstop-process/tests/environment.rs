//! The variables of this process that a child inherits.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::Folder;

/// The variables by which a host speaks to this process alone.
const OURS: [&str; 10] = [
    "NOTIFY_SOCKET",
    "FDSTORE",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_PID",
    "LISTEN_PIDFDID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "STARTSTOP_NOTIFY_FD",
    "STARTSTOP_GRACE",
];

/// Those of the unit, in which the children run too, and some that a user sets.
const OF_ALL: [&str; 6] = [
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "CREDENTIALS_DIRECTORY",
    "MEMORY_PRESSURE_WATCH",
    "STARTSTOP_TOKEN",
    "NO_COLOR",
];

/// Returns the names of the variables that a child of `startstop-run` has, and its commands, so many of which print them.
fn inherited(folder: &str, entry: &str, commands: usize) -> BTreeSet<String> {
    let folder = Folder::new(folder);
    let path = folder.path("app.toml");
    let said = folder.path("said");
    let prints = format!("env >>{said}");
    let text = format!(
        "[process.a]\ncommand = '{prints}; exec sleep 1000'\n{entry}",
        entry = entry.replace("PRINTS", &prints)
    );
    fs::write(&path, text).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_startstop-run"));
    let program = program.arg(&path).env_clear().env("PATH", "/usr/bin:/bin");
    // Empty ones say nothing to the program itself, and would be inherited all the same.
    let program = program
        .envs(OURS.map(|name| (name, "")))
        .envs(OF_ALL.map(|name| (name, "1")))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Each of them has the variable that was set here, and a line has come when its end has.
    let said = loop {
        let said = fs::read_to_string(&said).unwrap_or_default();
        let printed = said.matches("NO_COLOR=1\n").count();
        if printed > commands && said.ends_with('\n') {
            break said;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let told = Command::new("kill").arg(program.id().to_string()).status();
    assert!(told.unwrap().success());
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let names = said.lines().filter_map(|line| line.split_once('='));
    names.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn a_child_and_its_commands_know_of_the_unit_and_not_what_is_said_to_this_process_alone() {
    for (entry, commands) in [("", 0), ("ready = { command = 'PRINTS' }\n", 1)] {
        let inherited = inherited("inherited", entry, commands);
        for name in OURS {
            assert!(!inherited.contains(name), "{name}");
        }
        for name in OF_ALL {
            assert!(inherited.contains(name), "{name}");
        }
    }
}

#[test]
fn a_variable_of_the_file_is_what_it_says_whatever_its_name() {
    let names = OURS.map(|name| format!("{name} = '1'"));
    let entry = format!("env = {{ {} }}\n", names.join(", "));
    let inherited = inherited("set", &entry, 0);
    for name in OURS {
        assert!(inherited.contains(name), "{name}");
    }
}
