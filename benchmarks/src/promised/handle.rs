//! The handle: clones drive the same service, and the last one asks for its stop.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use super::changes::{Asked, Request};
use super::failure::{Exit, StartError, StopError};
use super::synced::{State, Synced};
use super::waiters::Answer;
use super::{Service, Settings, Shared, clock};

pub(crate) struct Runner<S: Service>(pub(super) Arc<Shared<S>>);

impl<S: Service> Runner<S> {
    pub(crate) fn new(service: S, settings: Settings) -> Self {
        Self(Arc::new(Shared {
            service,
            settings,
            word: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            handles: AtomicUsize::new(1),
            synced: Mutex::new(Synced::new()),
        }))
    }

    pub(crate) async fn start(&self) -> Result<(), StartError> {
        self.started(Request::Start).await
    }

    pub(crate) async fn restart(&self) -> Result<(), StartError> {
        self.started(Request::Restart).await
    }

    fn started(&self, request: Request) -> impl Future<Output = Result<(), StartError>> {
        self.asks(request, |answer| match answer {
            Answer::Start(result) => result,
            _ => unreachable!("it is answered what it has asked for"),
        })
    }

    pub(crate) fn stop(&self) -> impl Future<Output = Result<(), StopError>> {
        self.asks(Request::Stop, |answer| match answer {
            Answer::Stop(result) => result,
            _ => unreachable!("it is answered what it has asked for"),
        })
    }

    /// Until the cycle has ended that is current now.
    pub(crate) fn wait(&self) -> impl Future<Output = Exit> {
        self.asks(Request::Wait, |answer| match answer {
            Answer::End(exit) => exit,
            _ => unreachable!("it is answered what it has asked for"),
        })
    }

    pub(crate) fn request_start(&self) {
        self.0.request_only(Request::Start);
    }

    pub(crate) fn request_stop(&self) {
        self.0.request_only(Request::Stop);
    }

    pub(crate) fn is_running(&self) -> bool {
        self.0.load().0 == State::Running
    }

    pub(crate) fn uptime(&self) -> Duration {
        match self.0.load() {
            (State::Running, since) => Duration::from_nanos(clock::now().saturating_sub(since)),
            _ => Duration::ZERO,
        }
    }

    /// How many failures there were in all cycles.
    pub(crate) fn failures(&self) -> u64 {
        self.0.lock().failures
    }

    fn asks<T, F>(&self, request: Request, read: F) -> Pending<'_, S, F>
    where
        F: Fn(Answer) -> T,
    {
        Pending {
            shared: &self.0,
            request,
            entry: None,
            read,
        }
    }
}

impl<S: Service> Clone for Runner<S> {
    fn clone(&self) -> Self {
        self.0.handles.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&self.0))
    }
}

impl<S: Service> Drop for Runner<S> {
    fn drop(&mut self) {
        // What is stopped stays so: nobody is left to start it.
        let is_last = self.0.handles.fetch_sub(1, Ordering::AcqRel) == 1;
        if is_last && self.0.load().0 != State::Stopped {
            self.0.request_only(Request::Stop);
        }
    }
}

/// A request: its first poll makes the change, the others read the answer.
struct Pending<'a, S: Service, F> {
    shared: &'a Arc<Shared<S>>,
    request: Request,
    entry: Option<usize>,
    read: F,
}

impl<S, T, F> Future for Pending<'_, S, F>
where
    S: Service,
    F: Fn(Answer) -> T + Unpin,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Some(at) = self.entry else {
            return match self.shared.request(self.request, cx.waker()) {
                Asked::Answered(answer) => Poll::Ready((self.read)(answer)),
                Asked::Waits(at) => {
                    self.entry = Some(at);
                    Poll::Pending
                }
            };
        };
        let (answer, old) = self.shared.lock().waiters.poll(at, cx);
        drop(old);
        let Poll::Ready(answer) = answer else {
            return Poll::Pending;
        };
        self.entry = None;
        Poll::Ready((self.read)(answer))
    }
}

impl<S: Service, F> Drop for Pending<'_, S, F> {
    fn drop(&mut self) {
        if let Some(at) = self.entry {
            let entry = self.shared.lock().waiters.remove(at);
            drop(entry);
        }
    }
}
