//! The schedule of one connection: when it is told that it closes, and when it is closed.
//!
//! 1. A client is told before its connection is closed, unless it has sent nothing or half a head: in HTTP/2 by GOAWAY, with TLS by
//!    its goodbye.
//! 2. What may be on its way is waited for: a first request for [`ON_ITS_WAY`], what the system has received already for [`NOTICED`].

use std::time::Duration;

use tokio::time::Instant;

use super::phase::{ConnectionShared, NOTICED, ON_ITS_WAY, Phase};

/// How long a connection may wait for its client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) header: Duration,
    pub(super) idle: Duration,
}

/// A step that ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It takes no further requests, and is closed when those that it has are answered.
    Goodbye,
    Close,
}

/// The last word to the connection.
#[derive(Debug)]
enum Told {
    Nothing,
    Drain,
    /// When, and when half of the time that was left then is over.
    Stop {
        at: Instant,
        half: Option<Instant>,
    },
}

/// The schedule of one connection.
#[derive(Debug)]
pub(super) struct Schedule {
    timeouts: Timeouts,
    told: Told,
    goodbye: Option<Instant>,
}

impl Schedule {
    pub(super) fn new(timeouts: Timeouts) -> Self {
        Self {
            timeouts,
            told: Told::Nothing,
            goodbye: None,
        }
    }

    pub(super) fn drain(&mut self) {
        self.told = Told::Drain;
    }

    pub(super) fn stop(&mut self, half: Option<Instant>) {
        self.told = Told::Stop {
            at: Instant::now(),
            half,
        };
    }

    pub(super) fn is_stop(&self) -> bool {
        matches!(self.told, Told::Stop { .. })
    }

    /// Returns whether it was told neither of a drain nor of a stop.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.told, Told::Nothing)
    }

    /// Returns what is to be done if nothing changes, and when.
    pub(super) fn next(&self, shared: &ConnectionShared) -> Option<(Instant, Step)> {
        let phase = shared.phase();
        let own = match self.goodbye {
            Some(said) => self.after_goodbye(phase, said),
            None => self.before_goodbye(phase, shared),
        };
        let half = match self.told {
            Told::Stop { half, .. } if !matches!(phase, Phase::Busy | Phase::Upgraded) => half,
            _ => None,
        };
        let half = half.map(|half| (half, Step::Close));
        own.into_iter().chain(half).min_by_key(|(at, _)| *at)
    }

    /// Returns what is to be done now, and notes a goodbye.
    pub(super) fn due(&mut self, shared: &ConnectionShared) -> Option<Step> {
        let now = Instant::now();
        let (_, step) = self.next(shared).filter(|(at, _)| *at <= now)?;
        if step == Step::Goodbye {
            self.goodbye = Some(now);
        }
        Some(step)
    }

    fn before_goodbye(&self, phase: Phase, shared: &ConnectionShared) -> Option<(Instant, Step)> {
        if let (Phase::Idle(from), Some(asked)) = (phase, shared.makes_room()) {
            return Some((from.max(asked) + NOTICED, Step::Goodbye));
        }
        let Timeouts { header, idle } = self.timeouts;
        let (from, wait, step) = match (phase, &self.told) {
            (Phase::Fresh(from), Told::Stop { at, .. }) => (from.max(*at), ON_ITS_WAY, Step::Close),
            (Phase::Fresh(from) | Phase::Head(from), _) => (from, header, Step::Close),
            (Phase::Opened(from), Told::Stop { at, .. }) => {
                (from.max(*at), ON_ITS_WAY, Step::Goodbye)
            }
            (Phase::Busy | Phase::Tunnel | Phase::Idle(_), Told::Drain | Told::Stop { .. })
                if shared.is_http2() =>
            {
                // Requests that the client sent together with the first one are still on their way. A client gives up
                // for good on a request that a new connection refuses.
                (shared.first_request()?, ON_ITS_WAY, Step::Goodbye)
            }
            (Phase::Busy, Told::Stop { at, .. }) => (*at, Duration::ZERO, Step::Goodbye),
            (Phase::Idle(_), Told::Stop { at, .. }) => (*at, NOTICED, Step::Goodbye),
            (Phase::Opened(from) | Phase::Idle(from), _) => (from, idle, Step::Goodbye),
            (Phase::Busy | Phase::Tunnel | Phase::Upgraded, _) => return None,
        };
        Some((from.checked_add(wait)?, step))
    }

    /// Gives a client as much time for the answer to a goodbye as for a head.
    fn after_goodbye(&self, phase: Phase, said: Instant) -> Option<(Instant, Step)> {
        let from = match phase {
            Phase::Fresh(from) | Phase::Head(from) | Phase::Opened(from) | Phase::Idle(from) => {
                from.max(said)
            }
            Phase::Busy | Phase::Tunnel | Phase::Upgraded => return None,
        };
        Some((from.checked_add(self.timeouts.header)?, Step::Close))
    }
}
