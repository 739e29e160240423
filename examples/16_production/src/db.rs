//! PostgreSQL: a pool that is there while the server is.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use startstop_core::{
    Backoff, BoxError, Context, Readiness, RestartPolicy, Service, Settings, Slot,
};
use tokio::time::{sleep, timeout};

/// How often the server is asked whether it is there, and how long it may take.
const PERIOD: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(2);

const TABLE: &str = "create table if not exists orders (
    id bigint generated always as identity primary key, item text not null, packed_at timestamptz)";

/// The part that connects, and notices when the server has gone.
#[derive(Debug)]
pub struct Db {
    /// Where the server is.
    pub url: String,
    /// Full while the server is there.
    pub pool: Slot<PgPool>,
}

impl Service for Db {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        cx.checkpoint("connecting");
        let options = PgPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(LIMIT);
        let Some(pool) = cx.run_until_cancelled(options.connect(&self.url)).await else {
            return Ok(());
        };
        let pool = pool?;
        sqlx::query(TABLE).execute(&pool).await?;
        self.pool.fill(&cx, pool.clone()); // now it is ready
        while cx.run_until_cancelled(sleep(PERIOD)).await.is_some() {
            cx.checkpoint("asking whether the server is there");
            // The error ends this attempt: the slot is empty from then on, and the next attempt begins after a moment.
            timeout(LIMIT, sqlx::query("select 1").execute(&pool)).await??;
        }
        pool.close().await;
        Ok(())
    }

    fn settings(&self) -> Settings {
        // By default a policy gives up after some 80 s of an outage. This one waits for the server, however long it takes: nothing
        // that we could restart would bring it back.
        let backoff = Backoff::exponential(Duration::from_millis(100)).max(Duration::from_secs(5));
        Settings::new()
            .readiness(Readiness::Explicit)
            .restart(RestartPolicy::on_failure().forever().backoff(backoff))
            .stop_timeout(Duration::from_secs(2))
    }
}
