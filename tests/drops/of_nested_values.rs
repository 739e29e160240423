//! Values of services inside of each other, one of which panics when it is dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use startstop_core::{BoxService, Context, Service};

/// A service that holds another one and counts its drop, or panics in it.
struct Holder {
    _inner: Option<BoxService>,
    dropped: Arc<AtomicUsize>,
    bomb: bool,
}

impl Service for Holder {
    type Error = std::convert::Infallible;

    async fn run(&self, cx: Context) -> Result<(), Self::Error> {
        cx.cancelled().await;
        Ok(())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        assert!(!self.bomb, "it breaks when it is dropped");
    }
}

/// Three in each other; the one at `bomb` panics, if there is such a one.
fn nested(dropped: &Arc<AtomicUsize>, bomb: usize) -> BoxService {
    let one = |inner, at| {
        let dropped = Arc::clone(dropped);
        Some(
            Holder {
                _inner: inner,
                dropped,
                bomb: at == bomb,
            }
            .boxed(),
        )
    };
    (0..3).fold(None, one).expect("there are three")
}

#[test]
fn a_panic_in_the_drop_of_one_leaves_none_behind_and_holds_up_no_later_one() {
    for bomb in 0..3 {
        let dropped = Arc::default();
        let value = nested(&dropped, bomb);
        catch_unwind(AssertUnwindSafe(|| drop(value))).unwrap_err();
        assert_eq!(dropped.load(Ordering::Relaxed), 3, "{bomb}");

        let dropped = Arc::default();
        drop(nested(&dropped, usize::MAX));
        assert_eq!(dropped.load(Ordering::Relaxed), 3, "after {bomb}");
    }
}
