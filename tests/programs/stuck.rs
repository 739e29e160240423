//! A program whose service blocks its thread ends all the same, however many threads its runtime has.

use super::signalled;

const RUNTIMES: [&str; 3] = ["current", "1", "2"];

#[tokio::test]
async fn a_signal_ends_a_program_whose_workers_are_all_blocked() {
    for (runtime, entry) in RUNTIMES.map(|runtime| (runtime, "run")).into_iter().chain([
        ("current", "main"),
        ("1", "main"),
        ("own", "main"),
    ]) {
        let mut program = signalled(&[runtime, entry, "blocked"]);
        program.prints("running").await;
        program.signal("TERM").await;
        let ended = program.end().await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), "running\n"));
        let expected = "service \"blocked\" does not yield: run";
        assert!(ended.stderr.starts_with(expected), "{runtime} {entry}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn a_third_signal_leaves_a_program_whose_workers_are_all_blocked() {
    for runtime in RUNTIMES {
        let mut program = signalled(&[runtime, "run", "blocked for an hour"]);
        program.prints("running").await;
        program.signal("INT").await;
        program.signal("TERM").await;
        let ended = program.signal_until_it_ends("INT").await;
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.stderr.contains("\"blocked for an hour\" does not yield: run"),
            "{}",
            ended.stderr
        );
    }
}
