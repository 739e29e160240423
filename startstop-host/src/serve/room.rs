//! The room of a server: how many connections may be open, and which one makes room for a client that waits.
//!
//! Nobody is closed for a client that is not there: while the server is full, one more is accepted only when somebody has been
//! idle for long enough, and waits until that one has gone. Where the process has no descriptor left nothing can be accepted, so
//! there the one that has been idle for long enough goes first.

use std::future::pending;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::phase::{ConnectionShared, ServeCounts};

/// A connection that has been idle for so long makes room for a client that waits.
const MAKES_ROOM_AFTER: Duration = Duration::from_secs(5);

/// So few connections are not looked through for those that have ended.
const FEW: usize = 16;

/// How often a full server looks who has been idle for so long.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

pub(super) struct Room {
    most: Option<usize>,
    counts: Arc<ServeCounts>,
    /// The connections; some have ended.
    open: Vec<Weak<ConnectionShared>>,
    look: Instant,
    idlest: Option<Weak<ConnectionShared>>,
}

impl Room {
    pub(super) fn new(most: Option<usize>, counts: Arc<ServeCounts>) -> Self {
        Self {
            most,
            counts,
            open: Vec::new(),
            look: Instant::now(),
            idlest: None,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.most.is_some_and(|most| self.number() >= most)
    }

    /// Returns how many connections there are.
    pub(super) fn number(&self) -> usize {
        self.counts.connections.load(Ordering::Relaxed)
    }

    /// Returns whether somebody can make room, as far as the last look tells.
    pub(super) fn can_be_made(&self) -> bool {
        self.idlest.is_some()
    }

    /// Notes a connection.
    pub(super) fn enter(&mut self, connection: &Arc<ConnectionShared>) {
        // Those that have ended are about as many as the others then, so that each is looked at twice at most.
        if self.open.len() >= 2 * self.number().max(FEW) {
            self.open.retain(|open| open.strong_count() > 0);
        }
        self.open.push(Arc::downgrade(connection));
    }

    /// Waits until it is time to look again; for ever while there is room.
    pub(super) async fn is_to_look(&self) {
        if !self.is_full() {
            return pending().await;
        }
        sleep_until(self.look).await;
    }

    /// Looks who has been idle for the longest time.
    pub(super) fn look(&mut self) {
        let now = Instant::now();
        self.look = now + BETWEEN_LOOKS;
        let open = self.open.iter().filter_map(Weak::upgrade);
        let idle = open.filter_map(|open| Some((open.idle_since()?, open)));
        let long_idle = idle.filter(|(since, _)| *since + MAKES_ROOM_AFTER <= now);
        let idlest = long_idle.min_by_key(|(since, _)| *since);
        self.idlest = idlest.map(|(_, open)| Arc::downgrade(&open));
    }

    /// Where it is full, asks the one that has been idle for the longest time to go.
    pub(super) fn make_if_full(&mut self) {
        if self.is_full() {
            self.make();
        }
    }

    /// Asks the one that has been idle for the longest time to go, if it has been so for long enough.
    pub(super) fn make(&mut self) {
        self.look();
        if let Some(idlest) = self.idlest.take().and_then(|idlest| idlest.upgrade()) {
            idlest.make_room();
        }
    }
}
