//! The admin port: probes, status, events, metrics, control and the page, over HTTP.

mod answer;
mod asked;
mod control;
mod events;
#[cfg(feature = "metrics")]
mod metrics;
mod page;
mod probe;
mod server;
mod settings;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get};
use startstop_core::{Runner, Service};
use tokio::sync::Semaphore;

use crate::probes::Probes;

use control::Control;

pub(crate) use settings::AdminSettings;

/// The most streams of events at once.
const MOST_STREAMS: usize = 64;

/// The state that all answers are made from.
pub(crate) struct AdminShared {
    probes: Probes,
    control: Control,
    streams: Arc<Semaphore>,
    #[cfg(feature = "metrics")]
    registry: prometheus_client::registry::Registry,
}

impl AdminShared {
    fn new(probes: Probes, control: Control) -> Arc<Self> {
        Arc::new(Self {
            #[cfg(feature = "metrics")]
            registry: registry(&probes),
            probes,
            control,
            streams: Arc::new(Semaphore::new(MOST_STREAMS)),
        })
    }
}

/// Returns the answers of the admin port, to be mounted in a server of one's own: `/livez`, `/readyz`, `/startupz`,
/// `/healthz`, `/status`, `/events`, with the feature `metrics` also `/metrics`, and the page at `/`. There is no control.
///
/// It does not keep the service running. The limits of size and time are those of the server that it is mounted in.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, service_fn};
///
/// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
/// let admin = startstop_host::router(&runner);
/// let app: axum::Router = axum::Router::new().nest("/admin", admin);
/// # let _ = app;
/// ```
pub fn router<S: Service>(runner: &Runner<S>) -> Router {
    routes(AdminShared::new(Probes::of(runner), Control::default()))
}

#[cfg(feature = "metrics")]
fn registry(probes: &Probes) -> prometheus_client::registry::Registry {
    let mut registry = prometheus_client::registry::Registry::default();
    let source = Arc::clone(probes.source());
    registry.register_collector(Box::new(crate::metrics::MetricsCollector::of(source)));
    registry
}

fn routes(shared: Arc<AdminShared>) -> Router {
    let routes = Router::new();
    #[cfg(feature = "metrics")]
    let routes = routes.route("/metrics", get(metrics::metrics));
    routes
        .route("/livez", get(probe::livez))
        .route("/readyz", get(probe::readyz))
        .route("/healthz", get(probe::healthz))
        .route("/startupz", get(probe::startupz))
        .route("/status", get(status::status))
        .route("/events", get(events::events))
        .route("/", get(page::page))
        .route("/control/{*target}", any(control::control))
        .method_not_allowed_fallback(async || answer::text(405, "this is by GET and HEAD\n"))
        .fallback(async || answer::text(404, "there is nothing here\n"))
        .layer(axum::middleware::from_fn(asked::limit_body))
        .with_state(shared)
}
