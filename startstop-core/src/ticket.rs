//! The future of a request that was made: it reads the answer, and does nothing else.
//!
//! Dropping it is harmless, since the request has had its effect. There is one duty: a stop whose
//! caller waits spawns the keeper of its deadline only when it takes longer than a poll, so whoever
//! polls the ticket for the second time, or drops it, sees to that.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use crate::core::{Node, update};
use crate::request::Reply;
use crate::waiters::{Answer, Key};

/// An answer that comes later.
pub(crate) struct Ticket<'a, N: Node + ?Sized> {
    node: &'a Arc<N>,
    key: Option<Key>,
    polled: bool,
}

/// Waits for what a reply promises. The ticket is there from the call on, polled or not.
pub(crate) fn redeem<N: Node + ?Sized, T>(
    node: &Arc<N>,
    reply: Reply<T>,
    read: fn(Answer) -> Option<T>,
) -> impl Future<Output = T> + use<'_, N, T> {
    let pending = match reply {
        Reply::Now(outcome) => Ok(outcome),
        Reply::Later(key) => Err(Ticket::new(node, key)),
    };
    async move {
        match pending {
            Ok(outcome) => outcome,
            Err(ticket) => {
                let answer = ticket.await;
                read(answer).expect("an entry is answered with what its topic is about")
            }
        }
    }
}

impl<'a, N: Node + ?Sized> Ticket<'a, N> {
    pub(crate) fn new(node: &'a Arc<N>, key: Key) -> Self {
        Self { node, key: Some(key), polled: false }
    }

    fn hire_keeper(&self) {
        update(self.node, |_, cell, after| cell.hire_keeper(after));
    }
}

impl<N: Node + ?Sized> Future for Ticket<'_, N> {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Answer> {
        let Some(key) = self.key else { return Poll::Pending };
        let mut cell = self.node.core().cell();
        let old_waker = match cell.waiters.poll(key, task.waker()) {
            Ok(answer) => {
                let rest = cell.waiters.remove(key);
                drop(cell);
                drop(rest);
                self.key = None;
                return Poll::Ready(answer);
            }
            Err(old_waker) => old_waker,
        };
        let owes = cell.owes_keeper();
        drop(cell);
        drop(old_waker);
        match (owes, self.polled) {
            (false, _) => {}
            (true, false) => task.waker().wake_by_ref(),
            (true, true) => self.hire_keeper(),
        }
        self.polled = true;
        Poll::Pending
    }
}

impl<N: Node + ?Sized> Drop for Ticket<'_, N> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let mut cell = self.node.core().cell();
        let rest = cell.waiters.remove(key);
        let owes = cell.owes_keeper();
        drop(cell);
        drop(rest);
        if owes {
            self.hire_keeper();
        }
    }
}
