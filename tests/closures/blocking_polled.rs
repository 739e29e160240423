//! `blocking_fn` without a runner, polled by hand.

use std::cell::RefCell;
use std::pin::pin;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll, Wake, Waker};
use std::thread;

use startstop_core::{Context, Service, blocking_fn};
use tokio_util::sync::CancellationToken;

use crate::support::watched;

thread_local! {
    /// Dropped when the thread has ended.
    static AT_END: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
}

/// Calls a function when it is dropped.
struct CallsInDrop<F: Fn()>(F);

impl<F: Fn() + Send + Sync> Wake for CallsInDrop<F> {
    fn wake(self: Arc<Self>) {}
}

impl<F: Fn()> Drop for CallsInDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn the_waker_of_a_run_on_a_thread_is_dropped_without_a_lock() {
    watched(|| {
        let (ends, ended) = channel();
        let (go, may_go) = channel::<()>();
        let (ends, may_go) = (Mutex::new(Some(ends)), Mutex::new(may_go));
        let service = blocking_fn(move |_cx| {
            let ends = ends.lock().expect("nothing panics").take();
            AT_END.set(ends);
            let _ = may_go.lock().expect("nothing panics").recv();
        });
        let cx = Context::detached(CancellationToken::new());
        let mut run = pin!(service.run(cx));
        let (go, ended) = (Mutex::new(go), Mutex::new(ended));
        // The first waker is dropped in the second poll, and waits for the end of the thread there.
        let at_drop = move || {
            let _ = go.lock().expect("nothing panics").send(());
            let _ = ended.lock().expect("nothing panics").recv();
        };
        let first = Waker::from(Arc::new(CallsInDrop(at_drop)));
        assert!(
            run.as_mut()
                .poll(&mut Task::from_waker(&first))
                .is_pending()
        );
        drop(first);
        let mut again = run.as_mut().poll(&mut Task::from_waker(Waker::noop()));
        while again.is_pending() {
            thread::yield_now();
            again = run.as_mut().poll(&mut Task::from_waker(Waker::noop()));
        }
        assert!(matches!(again, Poll::Ready(Ok(()))));
    });
}
