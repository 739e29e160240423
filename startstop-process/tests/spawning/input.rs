//! The standard input of a child.

use startstop_core::{Readiness, Runner, Settings};

use crate::support::{Folder, sh};

/// The reader finds what the pipe has of a megabyte, and the end.
#[tokio::test]
async fn an_input_that_one_who_has_left_the_group_does_not_read_ends_with_the_attempt() {
    let folder = Folder::new("input");
    let (left, go, read) = (folder.path("left"), folder.path("go"), folder.path("read"));
    let reads = format!("echo >{left}; until [ -e {go} ]; do sleep 0.01; done; wc -c >{read}");
    // The leader leaves when the other one has left the group, and not before: it would be killed with it.
    let leaves = format!("until [ -s {left} ]; do sleep 0.01; done; exit 0");
    let script = format!("exec 3<&0; setsid sh -c '{reads}' <&3 & {leaves}");
    let settings = Settings::new().readiness(Readiness::Completion);
    let runner = Runner::with_settings(sh(&script).stdin(vec![b'x'; 1 << 20]), settings);
    runner.start().await.unwrap();
    std::fs::write(&go, "").unwrap();
    let bytes: usize = folder.read("read").await.parse().unwrap();
    assert!(bytes < 1 << 20, "{bytes}");
}

#[tokio::test]
async fn an_input_that_is_larger_than_a_pipe_is_read_to_its_end() {
    let settings = Settings::new().readiness(Readiness::Completion);
    let reads = sh("test $(wc -c) = 1048576").stdin(vec![b'x'; 1 << 20]);
    assert!(Runner::with_settings(reads, settings).start().await.is_ok());
}
