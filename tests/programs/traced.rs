//! The event of a signal in `tracing`. The program is this test binary, run again for a test that is ignored otherwise.

use startstop_core::{Context, Runner, Settings, service_fn};

use crate::child::Program;
use crate::trace::Scribe;

const EVENT: &str = r#"event: signal service="http" signal=SIGTERM"#;

#[test]
#[ignore = "the program of the other test"]
fn a_program_is_traced_to_its_end() {
    let scribe = Scribe::default();
    tracing::subscriber::set_global_default(scribe.clone()).expect("nobody else sets one");
    let idle = service_fn(async |cx: Context| {
        println!("running");
        cx.cancelled().await;
    });
    startstop_core::main(Runner::with_settings(idle, Settings::new().name("http")));
    // Another thread tells the event, so that a subscriber that blocks does not keep the next signal from being heard.
    while !scribe.lines().contains(&EVENT.to_owned()) {
        std::thread::yield_now();
    }
    println!("{EVENT}");
}

#[tokio::test]
async fn a_signal_is_an_event() {
    let this = std::env::current_exe().expect("it has a path");
    let name = "programs::traced::a_program_is_traced_to_its_end";
    let mut program = Program::start(this, &["--exact", name, "--ignored", "--nocapture"]);
    while program.line().await != "running" {}
    program.signal("TERM").await;
    let ended = program.end().await;
    assert!(
        ended.stdout.lines().any(|line| line == EVENT),
        "{}",
        ended.stdout
    );
}
