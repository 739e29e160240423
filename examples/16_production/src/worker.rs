//! The worker: it packs the orders, one after another. The queue is a table.

use std::time::Duration;

use sqlx::PgPool;
use startstop_core::{Context, RestartPolicy, Service, Settings, Slot};
use tokio::time::sleep;

/// How long it waits when there is nothing to do.
const PERIOD: Duration = Duration::from_millis(200);

/// Takes the oldest order that nobody else is packing. One statement is one transaction: it is done, or it is not.
const PACK: &str = "update orders set packed_at = now() where id = (
    select id from orders where packed_at is null order by id for update skip locked limit 1)";

/// The part that packs.
#[derive(Debug)]
pub struct Worker {
    /// Where the orders are.
    pub pool: Slot<PgPool>,
}

impl Service for Worker {
    type Error = sqlx::Error;

    async fn run(&self, cx: Context) -> Result<(), sqlx::Error> {
        let Some(pool) = self.pool.wait(&cx).await else {
            return Ok(());
        };
        let mut packed = 0_u64;
        while !cx.is_cancelled() {
            cx.heartbeat();
            // It looks at the stop between two orders only: a query that is dropped goes on in its session (sqlx 0.9).
            match sqlx::query(PACK)
                .execute(&*pool)
                .await
                .map(|done| done.rows_affected())
            {
                Ok(0) => {
                    cx.run_until_cancelled(sleep(PERIOD)).await;
                }
                Ok(more) => packed += more,
                // Told to stop because the database has gone: the order is still in the table, and nothing is amiss.
                Err(_) if cx.is_cancelled() => break,
                Err(error) => return Err(error),
            }
            cx.detail(format!("{packed} orders packed"));
        }
        Ok(())
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .restart(RestartPolicy::on_failure().forever())
            // One that hangs is aborted and begun anew. The limit is far above what a statement may take.
            .watchdog(Duration::from_secs(30))
            .stop_timeout(Duration::from_secs(5))
    }
}
