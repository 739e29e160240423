//! gRPC health (`grpc.health.v1.Health`), by tonic-health: the same answers as the probes.
//!
//! [`answer`] says what a name stands for and how it fares; [`watch`] follows one name for one client.
//!
//! 1. A name of the tree is known before anything is served: what is asked is the service itself, not a list of ours.
//! 2. No watch outlives the attempt that serves it.

mod answer;
mod watch;

use std::fmt;
use std::sync::{Arc, OnceLock};

use startstop_core::Context;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::probes::Probes;

use answer::HealthAnswer;

/// The gRPC health service of a program, for a tonic server that is a part of it.
///
/// The names that a client may ask for are known before anything is served, and each answer is that of the moment:
///
/// | name | serving |
/// |---|---|
/// | empty, or `readyz` | while the whole is [ready](Probes::ready), with all checks |
/// | `livez` | while the program is [live](Probes::live): this one is for a liveness probe of Kubernetes |
/// | `startupz` | once it has [started](Probes::startup) |
/// | a path, as `shop` or `shop/db` | while this part is ready |
/// | the name of a check | while the check passes |
///
/// During a drain the whole is not serving at once. A watch hears each change of a part at once, and of a check within 5 s. When the
/// service that serves it is told to stop, each watch ends after the last change; tonic-health's own service holds a stop until
/// `clear_service_status` (0.14.9). A name that is not known is `NOT_FOUND`; a watch of it hears `SERVICE_UNKNOWN`, and goes on.
///
/// It needs Rust 1.85, as the rest: Cargo then takes tonic-health 0.14.5, the newest that supports it. With a newer Rust it takes a
/// newer one.
///
/// # Examples
///
/// ```
/// use startstop_core::{Context, Group, Service};
/// use startstop_host::{GrpcHealth, Host, serve};
///
/// struct Api { health: GrpcHealth }
///
/// impl Service for Api {
///     type Error = std::io::Error;
///
///     async fn run(&self, cx: Context) -> Result<(), Self::Error> {
///         let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
///         // Beside other services: `tonic::service::Routes::new(health).add_service(..)`.
///         let health = self.health.server(&cx);
///         serve(cx, listener, health).await
///     }
/// }
///
/// let health = GrpcHealth::new();
/// let app = Group::builder("shop").with("api", Api { health: health.clone() }).build().unwrap();
/// let host = Host::new(app).grpc_health(&health);
/// # drop(host);
/// ```
#[derive(Clone, Default)]
pub struct GrpcHealth {
    probes: Arc<OnceLock<Probes>>,
}

impl GrpcHealth {
    /// Makes the health of a program that is still to be put together: [`Host::grpc_health`](crate::Host::grpc_health) says of
    /// which. Until then every call is `UNAVAILABLE`.
    ///
    /// # Examples
    ///
    /// See [`GrpcHealth`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the health of what these probes ask.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Context, Runner, service_fn, service_fn_with};
    /// use startstop_host::{GrpcHealth, Probes, serve};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let db = Runner::new(service_fn(async |cx| cx.cancelled().await));
    /// let health = GrpcHealth::of(Probes::of(&db));
    /// let api = Runner::new(service_fn_with(health, async |health, cx: Context| {
    ///     let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    ///     let health = health.server(&cx);
    ///     serve(cx, listener, health).await
    /// }));
    /// api.start().await.unwrap();
    /// api.stop().await.unwrap();
    /// # }
    /// ```
    pub fn of(probes: Probes) -> Self {
        Self {
            probes: Arc::new(OnceLock::from(probes)),
        }
    }

    /// Tells whose health it is. The first one counts.
    pub(crate) fn bind(&self, probes: Probes) {
        let _ = self.probes.set(probes);
    }

    /// Returns the service for a tonic server, or for [`serve`](crate::serve()), of one attempt: its watches are tasks of the
    /// attempt, and end when it is told to stop.
    ///
    /// # Examples
    ///
    /// See [`GrpcHealth`].
    pub fn server(&self, cx: &Context) -> HealthServer<impl Health> {
        HealthServer::new(OfAttempt {
            probes: Arc::clone(&self.probes),
            cx: cx.clone(),
        })
    }
}

impl fmt::Debug for GrpcHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcHealth")
            .field("probes", &self.probes.get())
            .finish()
    }
}

/// The health service while an attempt serves it.
struct OfAttempt {
    probes: Arc<OnceLock<Probes>>,
    cx: Context,
}

impl OfAttempt {
    fn probes(&self) -> Result<&Probes, Status> {
        let unknown = || Status::unavailable("nobody has said whose health this is");
        self.probes.get().ok_or_else(unknown)
    }
}

#[tonic::async_trait]
impl Health for OfAttempt {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match answer::ask(self.probes()?, &request.get_ref().service).await {
            HealthAnswer::Unknown => Err(Status::not_found("no part and no check has this name")),
            known => Ok(Response::new(known.into())),
        }
    }

    type WatchStream = ReceiverStream<Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let probes = self.probes()?.clone();
        let name = request.into_inner().service;
        Ok(Response::new(watch::begin(&self.cx, probes, name)))
    }
}
