//! `Shards::fixed` is what the group in it is.

use std::convert::Infallible;
use std::time::Duration;

use startstop_core::{Context, Interruption, Readiness, Runner, Service, Settings};
use startstop_fleet::Shards;

#[tokio::test(start_paused = true)]
async fn fixed_shards_that_are_not_ready_in_time_are_named_and_stopped_in_order() {
    struct Shard(u32);

    impl Service for Shard {
        type Error = Infallible;

        async fn run(&self, cx: Context) -> Result<(), Infallible> {
            if self.0 != 1 {
                cx.ready();
            }
            cx.cancelled().await;
            Ok(())
        }

        fn settings(&self) -> Settings {
            Settings::new().readiness(Readiness::Explicit)
        }
    }

    let shards = Shards::fixed("orders", 3, 0, 1, Shard);
    let settings = Settings::new().start_timeout(Duration::from_secs(1));
    let runner = Runner::with_settings(shards, settings);
    runner.start().await.unwrap_err();
    let failure = runner.errors_last().unwrap();
    let not_ready = failure.find::<Interruption>();
    let is_named = matches!(not_ready, Some(Interruption::MembersNotReady { .. }));
    assert!(is_named, "{failure:?}");
}
