//! A stop whose future is polled once, and then kept, or dropped: its deadline is kept all the same.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as Task, Waker};
use std::time::Duration;

use startstop_core::{Cause, Context, EventKind, Runner, Settings, service_fn_with};

use crate::support::{Latch, many_threads, one_thread, park_on, watched};

const SOON: Duration = Duration::from_millis(60);

#[test]
fn the_deadline_of_a_stop_is_kept_though_its_future_is_not_polled_again() {
    watched(|| {
        for runtime in [many_threads(), one_thread()] {
            let latch = Arc::new(Latch::default());
            let service = service_fn_with(Arc::clone(&latch), async |latch, cx: Context| {
                cx.cancelled().await;
                latch.block();
            });
            let settings = Settings::new().stop_timeout(SOON).abort_timeout(SOON);
            let runner = Runner::with_settings(service, settings);
            let mut events = runner.events();
            runtime.block_on(runner.start()).expect("ready at once");
            let driven = std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
            let mut stop = pin!(runner.stop());
            let polled = stop.as_mut().poll(&mut Task::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            park_on(async {
                while let Some(event) = events.next().await {
                    if matches!(event.kind(), EventKind::Unresponsive(_)) {
                        break;
                    }
                }
            });
            let causes: Vec<_> = runner
                .errors_list()
                .iter()
                .map(startstop_core::Failure::cause)
                .collect();
            assert_eq!(causes, [Cause::TimedOut, Cause::Unresponsive]);
            latch.release();
            assert!(park_on(stop).is_err());
            drop(driven);
        }
    });
}
