//! A start that comes when a job has completed and its cycle has not ended yet.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context as Task, Poll, Waker};

use startstop_core::{Context, Exit, Runner, Slot, StartError, StartStop, once};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Starts the job whose attempt drops it, and says what has come of that at once.
struct Starts(
    Arc<OnceLock<Arc<dyn StartStop>>>,
    UnboundedSender<Poll<Result<(), StartError>>>,
);

impl Drop for Starts {
    fn drop(&mut self) {
        let job = self.0.get().expect("it was put in before the start");
        let polled = pin!(job.start())
            .as_mut()
            .poll(&mut Task::from_waker(Waker::noop()));
        let _ = self.1.send(polled);
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_of_a_job_that_has_just_completed_joins_it() {
    let (tell, mut told) = unbounded_channel();
    let (itself, slot) = (Arc::new(OnceLock::new()), Slot::new());
    let (handle, place) = (Arc::clone(&itself), slot.clone());
    let job = Runner::new(once(move |cx: Context| {
        // The value is dropped between the end of the job and that of its cycle.
        place.fill(&cx, Starts(Arc::clone(&handle), tell.clone()));
        std::future::ready(())
    }));
    assert!(itself.set(Arc::new(job.clone())).is_ok());
    job.start().await.expect("it completes");
    assert_eq!(job.wait().await, Exit::Completed);
    assert!(matches!(told.recv().await, Some(Poll::Ready(Ok(())))));
    assert_eq!((job.status().cycles(), slot.get().is_none()), (1, true));
}
