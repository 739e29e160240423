//! Which connections there are, and which of them has been silent for the longest time.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The connections there are, at most so many.
pub(super) struct Connections {
    most: usize,
    began: Instant,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    entries: BTreeMap<u64, Arc<Entry>>,
}

struct Entry {
    /// When it last read or wrote, in milliseconds since the beginning.
    last: AtomicU64,
    close: Notify,
}

/// The place of one connection, which is given back when it is dropped.
pub(super) struct IdlePlace {
    connections: Arc<Connections>,
    number: u64,
    entry: Arc<Entry>,
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            began: Instant::now(),
            open: Mutex::default(),
        }
    }

    /// Gives a place to a connection; where there is none, the most silent one is closed.
    pub(super) fn enter(connections: &Arc<Self>) -> IdlePlace {
        let entry = Arc::new(Entry {
            last: AtomicU64::new(connections.now()),
            close: Notify::new(),
        });
        let mut open = connections
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if open.entries.len() >= connections.most {
            open.close_the_most_silent(u64::MAX);
        }
        open.next += 1;
        let number = open.next;
        open.entries.insert(number, Arc::clone(&entry));
        IdlePlace {
            connections: Arc::clone(connections),
            number,
            entry,
        }
    }

    /// Closes the most silent connection that has been silent for so long, and returns whether there is one.
    pub(super) fn make_room(&self, silence: Duration) -> bool {
        let silence = u64::try_from(silence.as_millis()).unwrap_or(u64::MAX);
        let latest = self.now().checked_sub(silence);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        latest.is_some_and(|latest| open.close_the_most_silent(latest))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Open {
    /// Unless it has read or written later than `latest`. Returns whether there is one.
    fn close_the_most_silent(&mut self, latest: u64) -> bool {
        let last =
            |(number, entry): (&u64, &Arc<Entry>)| (entry.last.load(Ordering::Relaxed), *number);
        let silent = self.entries.iter().map(last).min();
        let number = silent
            .filter(|(last, _)| *last <= latest)
            .map(|(_, number)| number);
        let entry = number.and_then(|number| self.entries.remove(&number));
        entry.map(|entry| entry.close.notify_one()).is_some()
    }
}

impl IdlePlace {
    /// Notes that something was read or written.
    pub(super) fn stir(&self) {
        self.entry
            .last
            .store(self.connections.now(), Ordering::Relaxed);
    }

    /// Waits for a future, until the place is taken away.
    pub(super) async fn until_closed(&self, future: impl Future<Output = ()>) {
        tokio::select! {
            () = future => {}
            () = self.entry.close.notified() => {}
        }
    }
}

impl Drop for IdlePlace {
    fn drop(&mut self) {
        let mut open = self
            .connections
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        open.entries.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_closes_the_most_silent_one() {
        let connections = Arc::new(Connections::new(2));
        let first = Connections::enter(&connections);
        let second = Connections::enter(&connections);
        tokio::time::advance(Duration::from_millis(5)).await;
        first.stir();
        let third = Connections::enter(&connections);

        second.until_closed(std::future::pending()).await;
        for open in [&first, &third] {
            let closed = open.until_closed(std::future::pending());
            tokio::time::timeout(Duration::from_millis(5), closed)
                .await
                .unwrap_err();
        }
        drop((first, second, third));
        assert!(connections.open.lock().unwrap().entries.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn room_is_made_of_a_connection_that_has_been_silent_for_long() {
        let connections = Arc::new(Connections::new(2));
        let silence = Duration::from_millis(100);
        assert!(!connections.make_room(silence));
        let first = Connections::enter(&connections);
        assert!(!connections.make_room(silence));
        tokio::time::advance(silence).await;
        let second = Connections::enter(&connections);
        assert!(connections.make_room(silence));
        first.until_closed(std::future::pending()).await;
        assert!(!connections.make_room(silence));
        drop((first, second));
    }
}
