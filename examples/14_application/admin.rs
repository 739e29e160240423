//! The endpoint for operators: it has a port of its own, so that the HTTP server can be stopped by it and
//! started again.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use startstop_core::{BoxError, Context, Group, Readiness, Service, Settings, WeakRunner};
use tokio::net::TcpListener;

use crate::life::Life;

pub(crate) struct Admin {
    app: WeakRunner<Group>,
}

impl Admin {
    pub(crate) fn new(app: WeakRunner<Group>) -> Self {
        Self { app }
    }
}

impl Service for Admin {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let _life = Life::begin(&cx);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("admin on http://{}", listener.local_addr()?);
        cx.ready();
        let router = Router::new()
            .route("/admin/{member}/{action}", post(act))
            .with_state(self.app.clone());
        startstop_host::serve(cx, listener, router).await
    }

    fn settings(&self) -> Settings {
        Settings::new().readiness(Readiness::Explicit)
    }
}

/// Answers when it is done.
async fn act(
    State(app): State<WeakRunner<Group>>,
    Path((member, action)): Path<(String, String)>,
) -> (StatusCode, String) {
    if member == "admin" {
        // It would wait for its own answer.
        return (StatusCode::CONFLICT, "not by its own answer\n".to_owned());
    }
    let Some(runner) = app.upgrade().and_then(|app| app.service().get(&member)) else {
        return (StatusCode::NOT_FOUND, "no such member\n".to_owned());
    };
    let done: Result<(), BoxError> = match action.as_str() {
        "start" => runner.start().await.map_err(Into::into),
        "stop" => runner.stop().await.map_err(Into::into),
        "restart" => runner.restart().await.map_err(Into::into),
        "kill" => runner.stop_within(Duration::ZERO).await.map_err(Into::into),
        _ => {
            return (
                StatusCode::NOT_FOUND,
                "start, stop, restart or kill\n".to_owned(),
            );
        }
    };
    match done {
        Ok(()) => (StatusCode::OK, format!("{member} is {}\n", runner.state())),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("{member}: {error}\n"),
        ),
    }
}
