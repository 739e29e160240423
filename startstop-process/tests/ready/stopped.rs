//! Stops of children that are not ready yet.

use std::time::Duration;

use startstop_core::Exit;
use startstop_process::{Process, Ready};

use crate::free_port::free_port;
use crate::support::{errors, runner};

#[tokio::test]
async fn a_hard_stop_of_a_start_is_no_failure_whatever_is_waited_for() {
    let conditions = [
        Ready::tcp(format!("127.0.0.1:{}", free_port())),
        Ready::line("up"),
        Ready::notify(),
        Ready::file("/no/such/file"),
        Ready::after(Duration::from_secs(1000)),
        Ready::command(["sleep", "1000"]),
    ];
    for ready in conditions {
        let runner = runner(Process::new("sleep").arg("1000").ready(ready.clone()));
        runner.request_start();
        while runner.status().detail().is_none() {
            tokio::task::yield_now().await;
        }
        assert!(runner.stop_within(Duration::ZERO).await.is_ok());
        assert_eq!(runner.wait().await, Exit::Aborted, "{ready:?}");
        assert_eq!(errors(&runner), [""; 0], "{ready:?}");
    }
}
