//! The HTTP server: it listens once the migration is done and the cache is there, and then goes on
//! whatever becomes of the others.

use std::io;
use std::sync::OnceLock;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use startstop_core::{Context, Readiness, RestartPolicy, Service, Settings, Slot};
use tokio::net::TcpListener;

use crate::cache::Entries;
use crate::db::Client;

pub(crate) struct Http {
    addr: String,
    /// Where it has listened first: there it listens again.
    bound: OnceLock<String>,
    sources: Sources,
}

/// Where values come from.
#[derive(Clone)]
struct Sources {
    client: Slot<Client>,
    entries: Slot<Entries>,
}

impl Http {
    pub(crate) fn new(addr: String, client: Slot<Client>, entries: Slot<Entries>) -> Self {
        Self {
            addr,
            bound: OnceLock::new(),
            sources: Sources { client, entries },
        }
    }
}

impl Service for Http {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let listener = TcpListener::bind(self.bound.get().unwrap_or(&self.addr)).await?;
        let addr = listener.local_addr()?.to_string();
        println!("listening on http://{}", self.bound.get_or_init(|| addr));
        cx.ready();
        let router = Router::new()
            .route("/", get(async || "hello\n"))
            .route("/value", get(value))
            .with_state(self.sources.clone());
        // `axum::serve` alone would hold a stop for its whole deadline for one client that has sent half a head.
        startstop_host::serve(cx, listener, router).await
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .readiness(Readiness::Explicit)
            .restart(RestartPolicy::on_failure())
    }
}

/// Without the cache it asks the database; without the database there is no answer.
async fn value(State(sources): State<Sources>) -> (StatusCode, String) {
    let Some(db) = sources.client.get() else {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database is down\n".to_owned(),
        );
    };
    let got = match sources.entries.get() {
        Some(entries) => entries.get(&db, "greeting").await,
        None => db
            .ask("get greeting")
            .await
            .map(|value| (value, "database")),
    };
    match got {
        Ok((value, source)) => (StatusCode::OK, format!("{value} from the {source}\n")),
        Err(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the database: {error}\n"),
        ),
    }
}
