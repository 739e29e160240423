//! Which of several servers is asked first: the one that has answered last.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The place of the server to begin with, for all who ask.
#[derive(Debug, Clone, Default)]
pub(super) struct Turn(Arc<AtomicUsize>);

/// A server that is asked. Unless it [answers](Self::answered) another one is begun with from then on, also when nobody waits for
/// it any longer.
#[derive(Debug)]
pub(super) struct Asked {
    turn: Turn,
    pub(super) place: usize,
    count: usize,
    has_answered: bool,
}

impl Turn {
    /// Returns the servers in the order in which they are to be asked.
    pub(super) fn order(&self, count: usize) -> impl Iterator<Item = usize> + use<> {
        let first = self.0.load(Ordering::Relaxed);
        (first..first + count).map(move |place| place % count)
    }

    /// Notes that the server at this place, of so many, is asked.
    pub(super) fn ask(&self, place: usize, count: usize) -> Asked {
        Asked {
            turn: self.clone(),
            place,
            count,
            has_answered: false,
        }
    }
}

impl Asked {
    pub(super) fn answered(mut self) {
        self.has_answered = true;
        self.turn.0.store(self.place, Ordering::Relaxed);
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.has_answered {
            let next = (self.place + 1) % self.count;
            let first = &self.turn.0;
            // Others who were not answered beside it have moved on already.
            let _ = first.compare_exchange(self.place, next, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Turn;

    fn order(turn: &Turn) -> Vec<usize> {
        turn.order(3).collect()
    }

    #[test]
    fn one_that_does_not_answer_is_begun_with_no_more() {
        let turn = Turn::default();
        assert_eq!(order(&turn), [0, 1, 2]);
        let (one, two) = (turn.ask(0, 3), turn.ask(0, 3));
        assert_eq!(order(&turn), [0, 1, 2], "it may answer yet");
        drop((one, two));
        assert_eq!(order(&turn), [1, 2, 0]);
        turn.ask(2, 3).answered();
        assert_eq!(order(&turn), [2, 0, 1]);
        drop(turn.ask(2, 3));
        assert_eq!(order(&turn), [0, 1, 2]);
    }
}
