//! The application that is served.

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use startstop_core::BoxError;
use tower_service::Service;

/// An application that [`serve`](fn@crate::serve) can serve: an axum `Router`, or any tower service of hyper's requests that
/// can be cloned for each connection. It is implemented for all of these.
///
/// # Examples
///
/// ```
/// fn takes(_: impl startstop_host::App) {}
///
/// takes(axum::Router::<()>::new());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be served",
    note = "accepted are an axum `Router`, and tower services of `http::Request<hyper::body::Incoming>` that are `Clone + Send + 'static`"
)]
pub trait App:
    private::SealedApp
    + Service<
        Request<Incoming>,
        Response = Response<<Self as App>::Body>,
        Future: Send,
        Error: Into<BoxError>,
    > + Clone
    + Send
    + 'static
{
    #[doc(hidden)]
    type Body: Body<Data: Send, Error: Into<BoxError>> + Send + 'static;
}

mod private {
    pub trait SealedApp {}
}

impl<A, B> private::SealedApp for A where A: Service<Request<Incoming>, Response = Response<B>> {}

impl<A, B> App for A
where
    A: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    A::Future: Send,
    A::Error: Into<BoxError>,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    type Body = B;
}
