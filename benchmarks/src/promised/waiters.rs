//! Who waits for what, and the answers: an entry is answered once and keeps its answer until it is taken.

use std::mem;
use std::task::{Context, Poll, Waker};

use super::failure::{Exit, StartError, StopError};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Start,
    Stop,
    End,
}

/// What is answered, to each topic in its words.
pub(super) enum Answer {
    Start(Result<(), StartError>),
    Stop(Result<(), StopError>),
    End(Exit),
}

pub(super) enum Entry {
    Free,
    Waits(Topic, Waker),
    Answered(Answer),
}

/// Mostly it is one.
pub(super) struct Waiters {
    first: Entry,
    more: Vec<Entry>,
}

/// Wakers to be called after the lock: mostly one.
#[derive(Default)]
pub(super) struct Wakes {
    first: Option<Waker>,
    more: Vec<Waker>,
}

impl Wakes {
    pub(super) fn push(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
        } else {
            self.more.push(waker);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn wake(self) {
        if let Some(first) = self.first {
            first.wake();
        }
        self.more.into_iter().for_each(Waker::wake);
    }
}

impl Entry {
    #[inline]
    fn answer(&mut self, topic: Topic, wakes: &mut Wakes, answer: impl Fn() -> Answer) {
        if matches!(self, Self::Waits(it, _) if *it == topic)
            && let Self::Waits(_, waker) = mem::replace(self, Self::Answered(answer()))
        {
            wakes.push(waker);
        }
    }
}

impl Waiters {
    pub(super) const fn new() -> Self {
        Self {
            first: Entry::Free,
            more: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, topic: Topic, waker: &Waker) -> usize {
        let entry = Entry::Waits(topic, waker.clone());
        if let Entry::Free = self.first {
            self.first = entry;
            return 0;
        }
        let free = self.more.iter().position(|it| matches!(it, Entry::Free));
        match free {
            Some(at) => self.more[at] = entry,
            None => self.more.push(entry),
        }
        1 + free.unwrap_or(self.more.len() - 1)
    }

    fn at(&mut self, at: usize) -> &mut Entry {
        match at {
            0 => &mut self.first,
            _ => &mut self.more[at - 1],
        }
    }

    /// Answers all who wait for it.
    pub(super) fn answer(&mut self, topic: Topic, wakes: &mut Wakes, answer: impl Fn() -> Answer) {
        self.first.answer(topic, wakes, &answer);
        for entry in &mut self.more {
            entry.answer(topic, wakes, &answer);
        }
    }

    /// The answer; a waker that is not needed any more is handed back, to be dropped after the lock.
    pub(super) fn poll(&mut self, at: usize, cx: &Context<'_>) -> (Poll<Answer>, Option<Waker>) {
        let entry = self.at(at);
        let old = match entry {
            Entry::Waits(_, waker) if !waker.will_wake(cx.waker()) => {
                Some(mem::replace(waker, cx.waker().clone()))
            }
            Entry::Waits(..) => None,
            Entry::Answered(_) | Entry::Free => {
                return match mem::replace(entry, Entry::Free) {
                    Entry::Answered(answer) => (Poll::Ready(answer), None),
                    _ => unreachable!("nobody polls what has been taken"),
                };
            }
        };
        (Poll::Pending, old)
    }

    /// Takes out who is gone; what is returned is to be dropped after the lock.
    pub(super) fn remove(&mut self, at: usize) -> Entry {
        mem::replace(self.at(at), Entry::Free)
    }
}
