//! The user's app with what the server adds to each request and answer.

use std::future::Future;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as Task, Poll, ready};

use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::{Buf, Incoming};
use pin_project_lite::pin_project;
use startstop_core::{CancelledOwned, Context};
use tokio::time::Instant;
use tower_service::Service;

use super::phase::{ConnectionShared, ON_ITS_WAY};

/// The app for one connection.
pub(super) struct Respond<A> {
    pub(super) app: A,
    pub(super) cx: Context,
    pub(super) shared: Arc<ConnectionShared>,
}

/// A request in flight; it has ended with the drop, that is when the last piece of its answer was handed to the socket.
struct InFlight(Arc<ConnectionShared>);

impl InFlight {
    fn begin(shared: &Arc<ConnectionShared>, request: &Request<Incoming>) -> Arc<Self> {
        shared.began(request.body());
        Arc::new(Self(Arc::clone(shared)))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.finished();
    }
}

/// The parts of a request that the meaning of its answer depends on.
struct Asked {
    method: Method,
    version: Version,
}

impl Asked {
    /// Returns whether from this answer on the bytes are the app's.
    fn is_left_to(&self, status: StatusCode) -> bool {
        let is_tunnel = self.method == Method::CONNECT && status.is_success();
        is_tunnel || status == StatusCode::SWITCHING_PROTOCOLS
    }
}

impl<A, B> hyper::service::Service<Request<Incoming>> for Respond<A>
where
    A: Service<Request<Incoming>, Response = Response<B>> + Clone,
    B: Body,
{
    type Response = Response<AnswerBody<B>>;
    type Error = A::Error;
    type Future = Answering<A>;

    fn call(&self, mut request: Request<Incoming>) -> Answering<A> {
        request.extensions_mut().insert(self.cx.clone());
        let asked = Asked {
            method: request.method().clone(),
            version: request.version(),
        };
        let in_flight = Some(InFlight::begin(&self.shared, &request));
        Answering {
            app: self.app.clone(),
            request: Some(request),
            future: None,
            asked,
            cx: self.cx.clone(),
            in_flight,
        }
    }
}

pin_project! {
    /// The future of an answer: the app is asked whether it is ready first.
    pub(super) struct Answering<A: Service<Request<Incoming>>> {
        app: A,
        request: Option<Request<Incoming>>,
        #[pin]
        future: Option<A::Future>,
        asked: Asked,
        cx: Context,
        in_flight: Option<Arc<InFlight>>,
    }
}

impl<A, B> Future for Answering<A>
where
    A: Service<Request<Incoming>, Response = Response<B>>,
    B: Body,
{
    type Output = Result<Response<AnswerBody<B>>, A::Error>;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.future.is_none() {
            ready!(this.app.poll_ready(task))?;
            let request = this.request.take().expect("the app is called once");
            this.future.set(Some(this.app.call(request)));
        }
        let future = this
            .future
            .as_mut()
            .as_pin_mut()
            .expect("it was made above");
        let response = ready!(future.poll(task))?;
        let in_flight = this
            .in_flight
            .take()
            .expect("a future is not polled after its end");
        Poll::Ready(Ok(answer(response, this.asked, this.cx, in_flight)))
    }
}

fn answer<B>(
    mut response: Response<B>,
    asked: &Asked,
    cx: &Context,
    in_flight: Arc<InFlight>,
) -> Response<AnswerBody<B>> {
    let shared = &in_flight.0;
    let version = asked.version;
    if asked.is_left_to(response.status()) {
        shared.opened_a_tunnel();
    } else if version < Version::HTTP_2 && shared.closes.load(Ordering::Acquire) {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .map(HeaderValue::as_bytes);
    let events = kind
        .is_some_and(is_of_events)
        .then(|| Events::until(cx.cancelled_owned()));
    response.map(|body| AnswerBody {
        body,
        events,
        in_flight: Some(in_flight),
    })
}

fn is_of_events(kind: &[u8]) -> bool {
    const EVENTS: &[u8] = b"text/event-stream";
    kind.get(..EVENTS.len())
        .is_some_and(|kind| kind.eq_ignore_ascii_case(EVENTS))
}

/// Server-sent events: they end at the stop, with what is ready then, but for those that never pause.
struct Events {
    cancelled: Pin<Box<CancelledOwned>>,
    stopped: Option<Instant>,
}

impl Events {
    fn until(cancelled: CancelledOwned) -> Self {
        Self {
            cancelled: Box::pin(cancelled),
            stopped: None,
        }
    }

    fn are_over<T>(&mut self, task: &mut Task<'_>, frame: &Poll<T>) -> bool {
        if self.stopped.is_none() && self.cancelled.as_mut().poll(task).is_ready() {
            self.stopped = Some(Instant::now());
        }
        self.stopped
            .is_some_and(|at| frame.is_pending() || at.elapsed() >= ON_ITS_WAY)
    }
}

pin_project! {
    /// The body of an answer. One of server-sent events ends at the stop.
    pub(super) struct AnswerBody<B> {
        #[pin]
        body: B,
        events: Option<Events>,
        in_flight: Option<Arc<InFlight>>,
    }
}

impl<B: Body> Body for AnswerBody<B> {
    type Data = Piece<B::Data>;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut Task<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, B::Error>>> {
        let this = self.project();
        let frame = this.body.poll_frame(task);
        let events = this.events.as_mut();
        if events.is_some_and(|events| events.are_over(task, &frame)) {
            return Poll::Ready(None);
        }
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            this.in_flight.take();
        }
        let in_flight = this.in_flight;
        let piece = |data| Piece {
            data,
            _in_flight: in_flight.clone(),
        };
        frame.map(|frame| Some(frame?.map(|frame| frame.map_data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A piece of an answer. The request is in flight until it was handed to the socket.
pub(super) struct Piece<D> {
    data: D,
    _in_flight: Option<Arc<InFlight>>,
}

impl<D: Buf> Buf for Piece<D> {
    fn remaining(&self) -> usize {
        self.data.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.data.chunk()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.data.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.data.advance(count);
    }
}
