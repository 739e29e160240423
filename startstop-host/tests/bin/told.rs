//! A program that tells its service manager. The first argument says what it does; each line on its stdin lets it go on.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use startstop_core::{
    Backoff, Context, Group, Readiness, RestartPolicy, Runner, Service, Settings, State, once,
    service_fn,
};
use startstop_host::Host;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("fails") => host(once(async |_cx| {
            Err::<(), _>(io::Error::from_raw_os_error(98))
        })),
        Some("blocks") => host(service_fn(async |cx: Context| {
            cx.run_until_cancelled(line()).await;
            // This is the mistake: it blocks the only thread of its runtime.
            std::thread::sleep(Duration::from_secs(600));
        })),
        Some("stays ready") => host(service_fn(async |cx: Context| {
            println!("ready");
            cx.cancelled().await;
        })),
        #[cfg(feature = "admin")]
        Some("admin") => {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            println!("{}", listener.local_addr().unwrap());
            Host::new(app()).admin_on(listener).main()
        }
        #[cfg(all(feature = "admin", feature = "serve"))]
        Some("serves") => aloud(service_fn(serves)),
        Some("starves") => host(service_fn(starves)),
        #[cfg(feature = "otel")]
        Some("flushes") => flushes(service_fn(async |cx: Context| {
            println!("running");
            cx.cancelled().await;
        })),
        #[cfg(feature = "otel")]
        Some("flushes by force") => flushes(service_fn(async |_cx| {
            println!("running");
            // This is the mistake: it blocks the only thread of its runtime.
            std::thread::sleep(Duration::from_secs(600));
        })),
        Some("mute") => host(once(async |_cx| Err::<(), _>(Mute))),
        Some("falls") => host(Falls),
        Some("fd") => Host::new(app()).notify_fd(3).main(),
        Some("storm") => host(service_fn(storm)),
        Some("grows") => grows(),
        Some("stays") => host(Leaving(|| std::thread::sleep(Duration::from_secs(600)))),
        Some("stays in main") => {
            Host::new(Leaving(|| std::thread::sleep(Duration::from_secs(600)))).main()
        }
        Some("breaks") => host(Leaving(|| panic!("out of ink"))),
        Some("breaks in main") => Host::new(Leaving(|| panic!("out of ink"))).main(),
        _ => host(app()),
    }
}

/// An error whose text never comes.
#[derive(Debug)]
struct Mute;

impl fmt::Display for Mute {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        loop {
            std::thread::park();
        }
    }
}

impl std::error::Error for Mute {}

/// Does something in its drop.
struct Leaving(fn());

impl Service for Leaving {
    type Error = Infallible;

    async fn run(&self, cx: Context) -> Result<(), Infallible> {
        println!("running");
        cx.cancelled().await;
        Ok(())
    }

    fn settings(&self) -> Settings {
        let soon = Duration::from_millis(100);
        Settings::new()
            .name("leaving")
            .stop_timeout(soon)
            .abort_timeout(soon)
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// On one thread, so that what blocks it blocks all.
fn host(service: impl Service) -> ExitCode {
    runtime().block_on(Host::new(service).notify().run())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Prints what happens on stderr.
#[cfg(all(feature = "admin", feature = "serve"))]
fn aloud(service: impl Service) -> ExitCode {
    let host = Host::new(service);
    let mut events = host.runner().events();
    runtime().block_on(async {
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                eprintln!("{event}");
            }
        });
        host.run().await
    })
}

/// Runs with an exporter that is flushed in vain.
#[cfg(feature = "otel")]
fn flushes(service: impl Service) -> ExitCode {
    startstop_host::flush_last(|| {
        println!("flushed");
        Err("nobody answers")
    });
    startstop_core::on_exit(|| println!("logs closed"));
    let hasty = Settings::new().stop_timeout(Duration::ZERO);
    host(Runner::with_settings(
        service,
        hasty.abort_timeout(Duration::ZERO),
    ))
}

/// An HTTP server of one answer.
#[cfg(all(feature = "admin", feature = "serve"))]
async fn serves(cx: Context) -> io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let app = axum::Router::new().fallback(async || "web");
    startstop_host::serve(cx, listener, app).await
}

/// Takes all descriptors that this process may have.
async fn starves(cx: Context) {
    let null = || std::fs::File::open("/dev/null").ok();
    let all: Vec<_> = std::iter::from_fn(null).collect();
    println!("{} files", all.len());
    cx.cancelled().await;
}

/// Gets a member whose stop may take much longer than that of those before it, and does.
fn grows() -> ExitCode {
    let quick = service_fn(async |cx: Context| cx.cancelled().await);
    let quick = Runner::with_settings(quick, Settings::new().stop_timeout(Duration::ZERO));
    let late = Runner::with_settings(
        service_fn(async |_cx| std::future::pending::<()>().await),
        Settings::new().stop_timeout(Duration::from_secs(60)),
    );
    let group = Group::builder("grows").with("quick", quick);
    let host = Host::new(group.build().unwrap()).notify();
    let runner = host.runner();
    runtime().block_on(async {
        tokio::spawn(async move {
            runner.wait_for(State::Running).await;
            runner.service().insert("late", late).await.unwrap();
            println!("over");
        });
        host.run().await
    })
}

/// A member that is ready after a line, and that takes every second reload; it drains.
fn app() -> Group {
    let idle = service_fn(async |cx: Context| cx.cancelled().await);
    Group::builder("shop")
        .with("db", idle)
        .with("slow", Slow::default())
        .build()
        .unwrap()
}

/// Fails when a line comes, and is tried again much later.
struct Falls;

impl Service for Falls {
    type Error = &'static str;

    async fn run(&self, cx: Context) -> Result<(), &'static str> {
        match cx.run_until_cancelled(line()).await {
            Some(()) => Err("it fell"),
            None => Ok(()),
        }
    }

    fn settings(&self) -> Settings {
        let much_later = Backoff::constant(Duration::from_secs(600));
        Settings::new()
            .name("falls")
            .restart(RestartPolicy::on_failure().backoff(much_later))
    }
}

/// Much happens once it is ready.
async fn storm(cx: Context) {
    for number in 0..5_000 {
        cx.report(format!("failure {number}"));
    }
    println!("over");
    cx.cancelled().await;
}

#[derive(Default)]
struct Slow(Arc<AtomicU32>);

impl Service for Slow {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        println!("begun");
        line().await;
        cx.ready();
        while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
            match self.0.fetch_add(1, Ordering::Relaxed) % 2 {
                0 => reload.done(),
                _ => reload.failed("line 7 is odd\nREADY=0"),
            }
        }
        Ok(())
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .readiness(Readiness::Explicit)
            .drain(Duration::from_millis(300))
    }
}

async fn line() {
    tokio::task::spawn_blocking(|| drop(io::stdin().lines().next()))
        .await
        .unwrap();
}
