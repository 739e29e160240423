//! The futures of a context, dropped after any of their polls.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use startstop_core::{Context, Runner, Settings, service_fn};

use crate::support::{full_cycle, on_each_flavour, poll_up_to, within};

/// Polls each future of the context a few times and drops it.
async fn drop_all(cx: &Context, polls: usize) {
    let _ = poll_up_to(cx.cancelled(), polls).await;
    let _ = poll_up_to(cx.cancelled_owned(), polls).await;
    let _ = poll_up_to(cx.reloaded(), polls).await;
    let _ = poll_up_to(cx.draining(), polls).await;
    let _ = poll_up_to(cx.run_until_cancelled(pending::<()>()), polls).await;
    let token = cx.token();
    let _ = poll_up_to(token.cancelled(), polls).await;
}

#[test]
fn the_futures_of_a_context_may_be_dropped_at_any_poll() {
    on_each_flavour(|| {
        within(async {
            for polls in 1..5 {
                let run = move |cx: Context| async move {
                    let child = cx.clone();
                    cx.spawn(async move {
                        drop_all(&child, polls).await;
                        child.cancelled().await;
                    });
                    drop_all(&cx, polls).await;
                    cx.cancelled().await;
                    drop_all(&cx, polls).await;
                };
                let stop = move |cx: Context| async move { drop_all(&cx, polls).await };
                let settings = Settings::new().drain(Duration::from_millis(1));
                let runner = Runner::with_settings(service_fn(run).on_shutdown(stop), settings);
                for _ in 0..5 {
                    full_cycle(&runner).await;
                }
                assert!(runner.history().entries().is_empty());
            }
        })
    });
}

#[test]
fn a_reload_is_not_lost_with_a_dropped_future() {
    on_each_flavour(|| {
        within(async {
            let seen = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&seen);
            let runner = Runner::new(service_fn(move |cx: Context| {
                let seen = Arc::clone(&counter);
                async move {
                    loop {
                        let reloaded = cx.run_until_cancelled(poll_up_to(cx.reloaded(), 2)).await;
                        match reloaded {
                            None => return,
                            Some(None) => tokio::task::yield_now().await,
                            Some(Some(_)) => {
                                seen.fetch_add(1, Ordering::SeqCst);
                            }
                        }
                    }
                }
            }));
            runner.start().await.expect("ready at once");
            for count in 1..500 {
                runner.request_reload();
                crate::support::until(|| seen.load(Ordering::SeqCst) == count).await;
            }
            runner.stop().await.expect("an obedient service stops");
        })
    });
}

#[test]
fn two_that_wait_for_a_reload_and_one_that_gives_up() {
    on_each_flavour(|| {
        within(async {
            let seen = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&seen);
            let runner = Runner::new(service_fn(move |cx: Context| {
                let seen = Arc::clone(&counter);
                async move {
                    while cx.run_until_cancelled(cx.reloaded()).await.is_some() {
                        seen.fetch_add(1, Ordering::SeqCst);
                    }
                    assert!(cx.is_cancelled());
                }
            }));
            runner.start().await.expect("ready at once");
            crate::support::settle().await;
            runner.request_reload();
            crate::support::until(|| seen.load(Ordering::SeqCst) == 1).await;
            runner.stop().await.expect("an obedient service stops");
        })
    });
}
