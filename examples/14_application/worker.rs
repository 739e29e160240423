//! The worker: its third job always fails, and it begins anew.

use std::time::Duration;

use startstop_core::{Backoff, Context, RestartPolicy, Service, Settings};
use tokio::time::sleep;

pub(crate) struct Worker;

#[derive(Debug, thiserror::Error)]
#[error("job {0} has failed")]
pub(crate) struct JobError(u32);

impl Service for Worker {
    type Error = JobError;

    async fn run(&self, cx: Context) -> Result<(), JobError> {
        for job in 1..=3 {
            let work = sleep(Duration::from_millis(300));
            if cx.run_until_cancelled(work).await.is_none() {
                return Ok(());
            }
            println!("job {job}");
        }
        Err(JobError(3))
    }

    /// Waits a little, so that each failure is seen on the page.
    fn settings(&self) -> Settings {
        let backoff = Backoff::constant(Duration::from_millis(1500));
        Settings::new().restart(RestartPolicy::on_failure().backoff(backoff).forever())
    }
}
