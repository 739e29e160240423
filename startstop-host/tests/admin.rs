//! The admin port of a program.

mod clients;
mod control;
mod documented;
mod page;
mod probes;
mod telling;

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use startstop_core::{Group, Runner, Service, Settings, State, service_fn};
use startstop_host::Host;
use tokio::task::JoinHandle;

use crate::http::get;

fn until_stopped() -> impl Service {
    service_fn(async |cx| cx.cancelled().await)
}

/// A program that runs, its port, and its end.
struct Program<S: Service> {
    addr: SocketAddr,
    runner: Runner<S>,
    end: JoinHandle<ExitCode>,
}

impl<S: Service> Program<S> {
    /// Runs a program with an admin port, once it is ready.
    async fn run(host: Host<S>) -> Self {
        let program = Self::begin(host);
        program.runner.wait_for(State::Running).await;
        program
    }

    fn begin(host: Host<S>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let runner = host.runner();
        let end = tokio::spawn(host.admin_on(listener).run());
        Self { addr, runner, end }
    }

    async fn stop(self) -> ExitCode {
        self.runner.request_stop();
        self.end.await.unwrap()
    }
}

fn shop() -> Host<Group> {
    let app = Group::builder("shop")
        .with("db", until_stopped())
        .then("http", until_stopped());
    Host::new(app.build().unwrap())
}

#[tokio::test]
async fn the_admin_port_answers_as_long_as_the_program_runs() {
    let program = Program::run(shop()).await;
    let addr = program.addr;
    assert_eq!(get(addr, "/readyz").await.body, "ok");
    assert_eq!(program.stop().await, ExitCode::SUCCESS);
    assert!(
        tokio::net::TcpStream::connect(addr).await.is_err(),
        "the port is free again"
    );
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_at_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = shop().admin(taken.local_addr().unwrap());
    let runner = host.runner();
    assert_eq!(host.run().await, ExitCode::FAILURE);
    assert_eq!(runner.status().cycles(), 0, "the service was not started");
}

#[tokio::test]
async fn an_empty_token_is_an_error_at_the_start() {
    for token in ["", "two words", "line\nend"] {
        let host = shop().admin("127.0.0.1:0").allow_control(token);
        let runner = host.runner();
        assert_eq!(host.run().await, ExitCode::FAILURE, "{token:?}");
        assert_eq!(runner.status().cycles(), 0);
    }
}

#[tokio::test]
async fn the_admin_router_can_be_mounted_in_another_server() {
    let runner = Runner::with_settings(until_stopped(), Settings::new().name("shop"));
    runner.start().await.unwrap();
    let app = axum::Router::new().nest("/admin", startstop_host::router(&runner));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    assert_eq!(get(addr, "/admin/readyz").await.body, "ok");
    assert!(get(addr, "/admin/status").await.body.contains("\"shop\""));
    let refused = crate::http::ask(addr, "POST", "/admin/control/stop/shop", "").await;
    assert_eq!(refused.status, 404);
    runner.stop().await.unwrap();
    drop(runner);
    assert_eq!(
        get(addr, "/admin/status").await.status,
        503,
        "it does not keep the service"
    );
    server.abort();
}
