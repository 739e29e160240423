//! The part that serves: an answer long enough to be cut off in the middle.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use startstop_core::{Context, Service, Settings};
use startstop_host::serve;

use crate::millis;

/// The bytes of the answer, of which the test knows how many there are.
const LENGTH: usize = 4096;

pub(crate) struct Web {
    listener: TcpListener,
}

impl Web {
    pub(crate) fn on(listener: TcpListener) -> Self {
        Self { listener }
    }
}

impl Service for Web {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener.try_clone()?)?;
        let app = Router::new().route("/", get(async || "x".repeat(LENGTH)));
        serve(cx, listener, app).await
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .stop_timeout(Duration::from_secs(10))
            .drain(millis("SHOP_DRAIN"))
    }
}
