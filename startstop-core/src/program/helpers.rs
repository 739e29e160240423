//! The helpers of a program on other threads: none of them may be the last who drops its service, for the end of the process
//! would cut the destructor off.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use super::aside::{A_SECOND, aside};

/// One of them, as long as it works.
pub(super) type Helper = mpsc::UnboundedSender<()>;

/// All of them.
pub(super) struct Helpers(mpsc::UnboundedReceiver<()>);

pub(super) fn helpers() -> (Helper, Helpers) {
    let (helper, helpers) = mpsc::unbounded_channel();
    (helper, Helpers(helpers))
}

impl Helpers {
    /// Waits until they are done, which takes a moment, or a second where one is held up by user code. The runtime may have
    /// no timers.
    pub(super) async fn are_done(mut self) {
        let (timer, late) = oneshot::channel::<()>();
        // Nothing is ever sent, to either.
        if let Err(mpsc::error::TryRecvError::Disconnected) = self.0.try_recv() {
            return;
        }
        aside(move || {
            thread::sleep(A_SECOND);
            drop(timer);
        });
        let mut late = pin!(late);
        poll_fn(|task| {
            if self.0.poll_recv(task).is_ready() {
                return Poll::Ready(());
            }
            late.as_mut().poll(task).map(drop)
        })
        .await;
    }
}
