//! gRPC health, asked by a client of tonic: which names are known, what they answer, and when a watch ends.

mod client;
mod same_path;
mod watching;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use startstop_core::{
    Backoff, Context, Group, Readiness, RestartPolicy, Runner, Service, Settings, State, service_fn,
};
use startstop_host::{CxExecutor, GrpcHealth, Host, Probes, serve};
use tokio::net::TcpListener;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus::{NotServing, Serving};

use client::{check, client};

const SECOND: Duration = Duration::from_secs(1);

/// A server of the health alone, and what it serves.
pub(crate) struct Api {
    pub(crate) listener: Arc<TcpListener>,
    pub(crate) health: GrpcHealth,
    pub(crate) drain: Duration,
}

impl Api {
    pub(crate) async fn new(health: &GrpcHealth) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            listener: Arc::new(listener),
            health: health.clone(),
            drain: Duration::ZERO,
        }
    }
}

impl Service for Api {
    type Error = std::io::Error;

    async fn run(&self, cx: Context) -> Result<(), Self::Error> {
        let health = self.health.server(&cx);
        serve(cx, &*self.listener, health).await
    }

    fn settings(&self) -> Settings {
        Settings::new().drain(self.drain).stop_timeout(20 * SECOND)
    }
}

/// It is ready while the flag is set, and else in backoff.
fn part(flag: &Arc<AtomicBool>) -> impl Service + use<> {
    let flag = Arc::clone(flag);
    let run = service_fn(move |cx: Context| {
        let flag = Arc::clone(&flag);
        async move {
            while flag.load(Ordering::Relaxed) {
                cx.ready();
                let short = tokio::time::sleep(Duration::from_millis(5));
                if cx.run_until_cancelled(short).await.is_none() {
                    return Ok(());
                }
            }
            Err("connection refused")
        }
    });
    let policy = RestartPolicy::on_failure().forever();
    let policy = policy.backoff(Backoff::constant(Duration::from_millis(20)));
    let settings = Settings::new()
        .readiness(Readiness::Explicit)
        .restart(policy);
    Runner::with_settings(run, settings.name("db"))
}

/// A program of two parts, of which one is not ready yet.
pub(crate) struct Shop {
    pub(crate) runner: Runner<Group>,
    pub(crate) addr: std::net::SocketAddr,
    pub(crate) db: Arc<AtomicBool>,
}

pub(crate) async fn shop(drain: Duration) -> Shop {
    let health = GrpcHealth::new();
    let mut api = Api::new(&health).await;
    api.drain = drain;
    let (addr, db) = (
        api.listener.local_addr().unwrap(),
        Arc::new(AtomicBool::new(false)),
    );
    let app = Group::builder("shop")
        .with("db", part(&db))
        .with("api", api)
        .build()
        .unwrap();
    let host = Host::new(app).check("disk", SECOND, async || Err::<(), _>("the disk is full"));
    let host = host.grpc_health(&health);
    let runner = host.runner();
    tokio::spawn(host.run());
    runner
        .find("shop/api")
        .unwrap()
        .wait_for(State::Running)
        .await;
    Shop { runner, addr, db }
}

#[tokio::test]
async fn every_name_is_known_before_its_part_is_ready() {
    let shop = shop(Duration::ZERO).await;
    let mut client = client(shop.addr).await;
    for name in ["", "readyz", "startupz", "shop", "shop/db", "disk"] {
        assert_eq!(check(&mut client, name).await, Ok(NotServing), "{name}");
    }
    for name in ["livez", "shop/api"] {
        assert_eq!(check(&mut client, name).await, Ok(Serving), "{name}");
    }
    for name in ["db", "shop/", "shop/db/", "grpc.health.v1.Health"] {
        assert_eq!(
            check(&mut client, name).await,
            Err(Code::NotFound),
            "{name}"
        );
    }
    shop.db.store(true, Ordering::Relaxed);
    shop.runner
        .find("shop/db")
        .unwrap()
        .wait_for(State::Running)
        .await;
    shop.runner.wait_for(State::Running).await;
    for name in ["startupz", "shop", "shop/db"] {
        assert_eq!(check(&mut client, name).await, Ok(Serving), "{name}");
    }
    // The program as a whole is not ready while a check fails.
    for name in ["", "readyz", "disk"] {
        assert_eq!(check(&mut client, name).await, Ok(NotServing), "{name}");
    }
    shop.runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_health_of_nobody_is_unavailable() {
    let api = Api::new(&GrpcHealth::new()).await;
    let addr = api.listener.local_addr().unwrap();
    let runner = Runner::new(api);
    runner.start().await.unwrap();
    let mut client = client(addr).await;
    assert_eq!(check(&mut client, "").await, Err(Code::Unavailable));
    assert_eq!(
        client::watch(&mut client, "").await.err(),
        Some(Code::Unavailable)
    );
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_part_that_was_stopped_by_hand_is_not_serving_and_the_whole_is() {
    let health = GrpcHealth::new();
    let api = Api::new(&health).await;
    let addr = api.listener.local_addr().unwrap();
    let idle = service_fn(async |cx: Context| cx.cancelled().await);
    let app = Group::builder("shop")
        .with("mail", idle)
        .with("api", api)
        .build()
        .unwrap();
    let runner = Runner::new(app);
    let health = GrpcHealth::of(Probes::of(&runner));
    let outside = Api {
        health,
        ..Api::new(&GrpcHealth::new()).await
    };
    let other = outside.listener.local_addr().unwrap();
    let outside = Runner::new(outside);
    outside.start().await.unwrap();
    runner.start().await.unwrap();
    runner.service().get("mail").unwrap().stop().await.unwrap();

    let mut client = client(other).await;
    assert_eq!(check(&mut client, "shop/mail").await, Ok(NotServing));
    assert_eq!(check(&mut client, "").await, Ok(Serving));
    assert_ne!(addr, other);
    runner.stop().await.unwrap();
    assert_eq!(check(&mut client, "").await, Ok(NotServing));
    drop(runner);
    assert_eq!(check(&mut client, "shop/mail").await, Err(Code::NotFound));
    outside.stop().await.unwrap();
}

/// The routes of tonic, beside `serve`: on a server of hyper's, whose tasks are those of the attempt.
#[tokio::test]
async fn a_server_of_hyper_serves_it_with_the_executor_of_the_context() {
    use hyper_util::rt::TokioIo;
    use hyper_util::service::TowerToHyperService;

    let idle = Runner::new(service_fn(async |cx: Context| cx.cancelled().await));
    idle.start().await.unwrap();
    let health = GrpcHealth::of(Probes::of(&idle));
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let addr = listener.local_addr().unwrap();
    let server = Runner::new(service_fn(move |cx: Context| {
        let (health, listener) = (health.clone(), Arc::clone(&listener));
        async move {
            let routes = tonic::service::Routes::new(health.server(&cx)).prepare();
            let service = TowerToHyperService::new(routes);
            let (stream, _) = listener.accept().await?;
            let http = hyper::server::conn::http2::Builder::new(CxExecutor(cx.clone()));
            let mut connection =
                std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
            tokio::select! {
                ended = connection.as_mut() => return ended.map_err(std::io::Error::other),
                () = cx.cancelled() => connection.as_mut().graceful_shutdown(),
            }
            connection.await.map_err(std::io::Error::other)
        }
    }));
    server.start().await.unwrap();
    let mut client = client(addr).await;
    assert_eq!(check(&mut client, "").await, Ok(Serving));
    let mut watch = client::watch(&mut client, "").await.unwrap();
    assert_eq!(watch.next().await, Some(Serving));
    // An open watch would show as a missed deadline here.
    server.stop().await.unwrap();
    assert_eq!(watch.next().await, None);
    idle.stop().await.unwrap();
}
