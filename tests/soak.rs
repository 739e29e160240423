//! A short soak: rounds of random load on a thousand members with faults leave nothing behind.

use crate::child::Program;

#[tokio::test]
async fn nothing_is_left_of_rounds_of_random_load() {
    let ended = Program::start(env!("CARGO_BIN_EXE_soak"), &["12000", "3"])
        .end()
        .await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stdout.lines().last(), Some("nothing is left"));
}
