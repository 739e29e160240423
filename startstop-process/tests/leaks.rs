//! Restarts leave nothing.

use std::fs;

use crate::support::{runner, sh};

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test]
async fn a_hundred_restarts_leave_no_descriptor_and_no_process() {
    let runner = runner(sh("sleep 1000 & exec sleep 1000"));
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    // Other tests of this process open some as well.
    let before = descriptors();
    for _ in 0..100 {
        runner.restart().await.unwrap();
    }
    runner.stop().await.unwrap();
    let after = descriptors();
    assert!(after < before + 60, "{before} descriptors have become {after}");
}
