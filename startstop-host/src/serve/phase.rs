//! The phase of one connection, as its socket and its requests tell; they share it with the task of the connection.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use http_body::Body;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::tail::Tail;
use super::tunnels::Tunnels;

/// The first bytes of an HTTP/2 connection; no method of HTTP/1 begins like that.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// A client without a request yet when the stop comes has so long for the first one: it may be on the way.
pub(super) const ON_ITS_WAY: Duration = Duration::from_millis(100);

/// The runtime notices within this time what the system has received already.
pub(super) const NOTICED: Duration = Duration::from_millis(1);

/// The phase of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It was accepted and has sent nothing.
    Fresh(Instant),
    /// It sends a head, since then.
    Head(Instant),
    /// It speaks HTTP/2 and has had no request yet, since then.
    Opened(Instant),
    /// A request is in flight.
    Busy,
    /// It waits for a request, since then.
    Idle(Instant),
    /// It speaks HTTP/2 and bears tunnels, but no other request.
    Tunnel,
    /// It is no longer HTTP.
    Upgraded,
}

/// The counts of the server over all connections.
#[derive(Debug, Default)]
pub(super) struct ServeCounts {
    pub(super) connections: AtomicUsize,
    pub(super) requests: AtomicUsize,
    /// Told when a number has changed.
    pub(super) changed: Notify,
}

/// The state that the socket, the requests and the task of one connection share.
#[derive(Debug)]
pub(super) struct ConnectionShared {
    inner: Mutex<Inner>,
    /// Told when the phase has changed, and when the socket is dropped.
    pub(super) changed: Notify,
    pub(super) counts: Arc<ServeCounts>,
    /// Whether answers say that the connection closes.
    pub(super) closes: AtomicBool,
    is_http2: AtomicBool,
    pub(super) tunnels: Tunnels,
    /// Whether the client takes no more of what is to be sent.
    is_full: AtomicBool,
    /// Whether the socket reads as ended.
    ended: AtomicBool,
    /// Whether the socket is closed in both directions.
    closed: AtomicBool,
    dropped: AtomicBool,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    requests: usize,
    first_request: Option<Instant>,
    /// Whether the last request had a body. Behind one it cannot be told whether a part of a head has come along.
    has_body: bool,
    /// When it was asked to make room for others.
    makes_room: Option<Instant>,
    /// The end of what has come, of HTTP/1.
    tail: Tail,
    /// The wakers of a read and of a write that wait.
    wakers: [Option<Waker>; 2],
    first: Vec<u8>,
}

impl ConnectionShared {
    pub(super) fn new(counts: Arc<ServeCounts>) -> Arc<Self> {
        counts.connections.fetch_add(1, Ordering::Relaxed);
        counts.changed.notify_one();
        let inner = Inner {
            phase: Phase::Fresh(Instant::now()),
            requests: 0,
            first_request: None,
            has_body: false,
            makes_room: None,
            tail: Tail::default(),
            wakers: [None, None],
            first: Vec::new(),
        };
        Arc::new(Self {
            inner: Mutex::new(inner),
            changed: Notify::new(),
            counts,
            closes: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            tunnels: Tunnels::default(),
            is_full: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            dropped: AtomicBool::new(false),
        })
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn phase(&self) -> Phase {
        match self.inner().phase {
            // A full buffer means that the end of an answer is not sent yet.
            Phase::Idle(_) if self.is_full.load(Ordering::Acquire) => Phase::Busy,
            Phase::Idle(_) if self.tunnels.are_open() => Phase::Tunnel,
            phase => phase,
        }
    }

    /// Returns when the first request came.
    pub(super) fn first_request(&self) -> Option<Instant> {
        self.inner().first_request
    }

    /// Returns since when it has been idle, if it is and has not been asked to make room yet.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        match self.phase() {
            Phase::Idle(since) if self.makes_room().is_none() => Some(since),
            _ => None,
        }
    }

    /// It closes now, or with the answer to what has come meanwhile.
    pub(super) fn make_room(&self) {
        self.closes.store(true, Ordering::Release);
        self.inner().makes_room = Some(Instant::now());
        self.changed.notify_one();
    }

    /// Returns when it was asked to make room for others.
    pub(super) fn makes_room(&self) -> Option<Instant> {
        self.inner().makes_room
    }

    pub(super) fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Acquire)
    }

    /// The client has sent this.
    pub(super) fn received(&self, bytes: &[u8]) {
        let mut inner = self.inner();
        if !self.is_http2() {
            inner.tail.remember(bytes);
        }
        if !bytes.is_empty() && inner.first.len() < PREFACE.len() && !self.is_http2() {
            let left = PREFACE.len() - inner.first.len();
            let new = &bytes[..bytes.len().min(left)];
            inner.first.extend_from_slice(new);
            if inner.first == PREFACE {
                self.is_http2.store(true, Ordering::Release);
                inner.phase = Phase::Opened(Instant::now());
                drop(inner);
                self.changed.notify_one();
                return;
            }
        }
        let begins_a_head = match &mut inner.phase {
            Phase::Fresh(_) => !bytes.is_empty(),
            Phase::Idle(from) if self.tunnels.may_listen() => {
                *from = Instant::now();
                false
            }
            Phase::Idle(_) => !bytes.is_empty() && !self.is_http2(),
            _ => false,
        };
        if begins_a_head {
            inner.phase = Phase::Head(Instant::now());
            drop(inner);
            self.changed.notify_one();
        }
    }

    /// A request has begun.
    pub(super) fn began(&self, body: &impl Body) {
        let mut inner = self.inner();
        inner.requests += 1;
        inner.has_body = !body.is_end_stream();
        inner.first_request.get_or_insert_with(Instant::now);
        let before = std::mem::replace(&mut inner.phase, Phase::Busy);
        drop(inner);
        if matches!(before, Phase::Opened(_)) {
            self.changed.notify_one();
        }
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        self.counts.changed.notify_one();
    }

    /// A request has ended, with its answer.
    pub(super) fn finished(&self) {
        let mut inner = self.inner();
        inner.requests -= 1;
        if inner.requests == 0 && inner.phase == Phase::Busy {
            let now = Instant::now();
            inner.phase = if !self.is_http2() && !inner.has_body && !inner.tail.ends_a_head() {
                Phase::Head(now)
            } else {
                Phase::Idle(now)
            };
        }
        drop(inner);
        self.changed.notify_one();
        self.counts.requests.fetch_sub(1, Ordering::Relaxed);
        self.counts.changed.notify_one();
    }

    /// Notes whether the client takes what is to be sent. A connection is not idle before it has taken all of it.
    pub(super) fn sends<T>(&self, written: &Poll<T>) {
        let is_full = written.is_pending();
        let was_full = self.is_full.swap(is_full, Ordering::AcqRel);
        if was_full && !is_full {
            self.is_idle_from_now();
        }
    }

    /// Begins its idle time anew: something that was no request has kept it from being idle.
    pub(super) fn is_idle_from_now(&self) {
        if let Phase::Idle(from) = &mut self.inner().phase {
            *from = Instant::now();
        }
        self.changed.notify_one();
    }

    /// From here on the bytes of the request are the app's; in HTTP/1 they are all that the connection bears.
    pub(super) fn opened_a_tunnel(&self) {
        if self.is_http2() {
            self.tunnels.open();
        } else {
            self.inner().phase = Phase::Upgraded;
        }
    }

    /// From now on the socket reads as ended.
    pub(super) fn end_reads(&self) {
        self.ended.store(true, Ordering::Release);
        self.wake();
    }

    /// From now on the socket is closed.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        let wakers = std::mem::take(&mut self.inner().wakers);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }

    pub(super) fn reads_as_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Wakes a read (0) or a write (1) when the socket ends or closes.
    pub(super) fn wait(&self, side: usize, waker: &Waker) {
        let mut inner = self.inner();
        let known = &mut inner.wakers[side];
        if known.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    pub(super) fn socket_dropped(&self) {
        self.dropped.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.dropped.load(Ordering::Acquire)
    }
}

impl Drop for ConnectionShared {
    fn drop(&mut self) {
        self.counts.connections.fetch_sub(1, Ordering::Relaxed);
        self.counts.changed.notify_one();
    }
}
