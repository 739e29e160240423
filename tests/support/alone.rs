//! Tests that need a process of their own.

use std::env;
use std::process::Command;

/// Is set in the process of such a test.
const ALONE: &str = "STARTSTOP_ALONE";

/// Runs `work` in a process where there is nothing beside it: runs `test`, the path of the test that calls this, once more.
///
/// For what counts something of the whole process or runtime: a service that starts on a new runtime asks all others, by an empty
/// task, whether they are still there, and tests have many.
#[track_caller]
pub(crate) fn alone(test: &str, work: impl FnOnce()) {
    if env::var_os(ALONE).is_some() {
        return work();
    }
    let this = env::current_exe().expect("a test has a path");
    let arguments = ["--exact", test, "--nocapture"];
    let out = Command::new(this)
        .args(arguments)
        .env(ALONE, "1")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&out.stdout);
    print!("{said}");
    eprint!("{}", String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{}", out.status);
    assert!(said.contains("1 passed"), "there is no such test: {test}");
}
