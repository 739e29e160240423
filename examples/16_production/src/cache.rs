//! Redis: a connection that is there while the server is.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};
use startstop_core::{Backoff, Context, Readiness, RestartPolicy, Service, Settings, Slot};
use tokio::time::sleep;

/// How often the server is asked whether it is there, and how long it may take.
const PERIOD: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(2);

/// The part that connects, and notices when the server has gone. It does not reconnect by itself, as `ConnectionManager` would: the
/// policy does, and tells.
#[derive(Debug)]
pub struct Cache {
    /// Where the server is.
    pub url: String,
    /// Full while the server is there.
    pub redis: Slot<MultiplexedConnection>,
}

impl Service for Cache {
    type Error = RedisError;

    async fn run(&self, cx: Context) -> Result<(), RedisError> {
        let client = Client::open(self.url.as_str())?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(LIMIT))
            .set_response_timeout(Some(LIMIT));
        cx.checkpoint("connecting");
        let mut redis = client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        self.redis.fill(&cx, redis.clone()); // now it is ready
        while cx.run_until_cancelled(sleep(PERIOD)).await.is_some() {
            cx.checkpoint("asking whether the server is there");
            redis::cmd("PING").exec_async(&mut redis).await?;
        }
        Ok(())
    }

    fn settings(&self) -> Settings {
        let backoff = Backoff::exponential(Duration::from_millis(100)).max(Duration::from_secs(5));
        Settings::new()
            .readiness(Readiness::Explicit)
            .restart(RestartPolicy::on_failure().forever().backoff(backoff))
            .stop_timeout(Duration::from_secs(3))
    }
}
