//! A reload request to a service that waits for none itself, passed on to what it has attached: one runner after another, in
//! the order in which they were attached.

use std::future::Future;
use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context as Task, Poll};

use super::request::{self, Caller, Reply};
use super::{Node, ReloadPassed, gate, reload};
use crate::engine::waiters::{Answer, Key};
use crate::report::error::ReloadError;
use crate::report::state::State;
use crate::sync::spawn_boxed;

/// Asks them in a task, which keeps none of them, nor the owner, from going.
pub(super) fn spawn(request: ReloadPassed, owner: &Weak<dyn Node>) {
    let ReloadPassed {
        on,
        epoch,
        round,
        left,
    } = request;
    let owner = Weak::clone(owner);
    let result = Err(ReloadError::NotSupported);
    let passing = Passing {
        owner,
        epoch,
        round,
        left: left.into_iter(),
        asked: None,
        result,
    };
    spawn_boxed(&on, Box::pin(passing));
}

/// Asks one after another.
struct Passing {
    owner: Weak<dyn Node>,
    epoch: u64,
    round: u32,
    left: std::vec::IntoIter<Weak<dyn Node>>,
    /// The one that is asked, and where its answer will be.
    asked: Option<(Weak<dyn Node>, Key)>,
    /// The first failure, or else whether any has done it.
    result: Result<(), ReloadError>,
}

impl Future for Passing {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        loop {
            match self.answer(task) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(answer)) => self.take(answer),
                Poll::Ready(None) => {}
            }
            let Some(next) = self.left.next() else {
                break;
            };
            self.ask(next, task);
        }
        let Self {
            owner,
            epoch,
            round,
            result,
            ..
        } = &mut *self;
        let result = std::mem::replace(result, Ok(()));
        gate::update_apart(owner, |shared, synced, deferred| {
            reload::answer_of(synced, shared, (*epoch, *round), result, deferred);
        });
        Poll::Ready(())
    }
}

impl Passing {
    fn ask(&mut self, part: Weak<dyn Node>, task: &Task<'_>) {
        let mut reply = None;
        gate::update_apart(&part, |shared, synced, deferred| {
            if synced.state() == State::Stopped {
                // It has ended, and has no say in it.
                return;
            }
            let wanted = Caller::By(task.waker());
            reply = Some(request::reload_in(synced, shared, wanted, deferred));
        });
        match reply {
            Some(Reply::Now(answer)) => self.take(answer),
            Some(Reply::Later(key) | Reply::Awaited { key, .. }) => self.asked = Some((part, key)),
            None => {}
        }
    }

    /// Returns what the one that is asked has answered; nothing if none is asked, or if it is gone.
    fn answer(&mut self, task: &Task<'_>) -> Poll<Option<Result<(), ReloadError>>> {
        let Some((part, key)) = &self.asked else {
            return Poll::Ready(None);
        };
        let look = gate::look(part, |_, synced| match synced.waiters.take(*key) {
            Some(answer) => Ok(answer),
            None => Err(synced.waiters.wake(*key, task.waker())),
        });
        let answer = match look {
            Some((Err(_old_waker), _)) => return Poll::Pending,
            Some((Ok(answer), _)) => Answer::reload(answer),
            None => None,
        };
        self.asked = None;
        Poll::Ready(answer)
    }

    fn take(&mut self, answer: Result<(), ReloadError>) {
        let first = std::mem::replace(&mut self.result, Ok(()));
        self.result = reload::combined(first, answer);
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let Some((part, key)) = self.asked.take() {
            drop(gate::look(&part, |_, synced| synced.waiters.remove(key)));
        }
    }
}
