//! The web server: orders by HTTPS, and the health of the parts by gRPC.

mod orders;
mod problem;

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use redis::aio::MultiplexedConnection;
use sqlx::PgPool;
use startstop_core::{Context, Readiness, RestartPolicy, Service, Settings, Slot};
use startstop_host::{GrpcHealth, Serve, Tls};
use tokio::sync::watch;

use crate::config::Config;

/// The part that serves. Its listener outlives its restarts, so that nobody is refused meanwhile.
#[derive(Debug)]
pub struct Web {
    /// Where customers come in.
    pub listener: TcpListener,
    /// The names of parts that clients of gRPC ask for.
    pub health: GrpcHealth,
    /// The state of each request.
    pub desk: Desk,
}

/// The state of a request.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The newest configuration.
    pub config: watch::Receiver<Config>,
    /// Where the orders are.
    pub pool: Slot<PgPool>,
    /// Where they are looked up.
    pub redis: Slot<MultiplexedConnection>,
}

impl Web {
    fn router(&self, cx: &Context) -> Router {
        // Each part has its name there before anything is served, and a watch ends with the stop.
        let health = self.health.server(cx);
        Router::new()
            .route_service("/grpc.health.v1.Health/{call}", health)
            .route("/", get(motto))
            .route("/orders", post(orders::take))
            .route("/orders/{id}", get(orders::look_up))
            .with_state(self.desk.clone())
    }
}

async fn motto(State(desk): State<Desk>) -> String {
    desk.config.borrow().motto.clone()
}

impl Service for Web {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let (certificate, key) = {
            let config = self.desk.config.borrow();
            (config.certificate.clone(), config.key.clone())
        };
        // On SIGHUP both files are read again.
        let tls = Tls::from_files(certificate, key)?;
        let listener = tokio::net::TcpListener::from_std(self.listener.try_clone()?)?;
        cx.ready();
        let router = self.router(&cx);
        Serve::new().tls(tls).serve(cx, listener, router).await
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .readiness(Readiness::Explicit)
            .restart(RestartPolicy::on_failure())
            .drain(self.desk.config.borrow().drain())
            // For requests in flight.
            .stop_timeout(Duration::from_secs(10))
    }
}
