//! A service as a program, in all mixtures: `signalled RUNTIME ENTRY SERVICE`.
//!
//! RUNTIME: `current`, how many workers, or `own` for that of `main`. ENTRY: `run`, `main` or `until` (`run_until_signal`,
//! twice, with a line of input after each). SERVICE: see `service`. Behind them may come `on exit`, with functions for that,
//! `fills stderr`, and `stays`: then the program goes on for ever when `run` or `main` has returned.

use std::convert::Infallible;
use std::env;
use std::future::pending;
use std::io::Write;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use startstop_core::{
    BoxService, Context, Group, Member, OnFailure, Readiness, Runner, Service, Settings,
    WithExitCode, on_exit, service_fn,
};
use tokio::runtime::{Builder, Runtime};

const SOON: Duration = Duration::from_millis(50);
const HOUR: Duration = Duration::from_secs(3600);

fn runtime(kind: &str) -> Runtime {
    let runtime = match kind.parse() {
        Ok(workers) => Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_all()
            .build(),
        Err(_) => Builder::new_current_thread().enable_all().build(),
    };
    runtime.expect("the system has room for a runtime")
}

/// A service with settings of its own: not a runner, whose place in the program would be another.
struct With<S>(Settings, S);

impl<S: Service> Service for With<S> {
    type Error = S::Error;

    async fn run(&self, cx: Context) -> Result<(), S::Error> {
        self.1.run(cx).await
    }

    async fn shutdown(&self, cx: Context) -> Result<(), S::Error> {
        self.1.shutdown(cx).await
    }

    fn settings(&self) -> Settings {
        self.0.clone()
    }
}

fn with(settings: Settings, service: impl Service) -> BoxService {
    With(settings, service).boxed()
}

async fn idle(cx: Context) {
    println!("running");
    cx.cancelled().await;
    println!("stopping");
}

/// Asks for another cycle whenever it is told to end.
async fn insists(cx: Context) {
    idle(cx.clone()).await;
    cx.request_restart();
}

async fn slow(cx: Context) {
    idle(cx).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    println!("stopped in order");
}

/// Says that the future it lives in was dropped.
struct Aborted;

impl Drop for Aborted {
    fn drop(&mut self) {
        println!("aborting");
    }
}

async fn deaf(_: Context) {
    let _aborted = Aborted;
    println!("running");
    pending::<()>().await;
}

/// Blocks its thread, after its worker has looked after the timers.
async fn block(cx: Context) {
    tokio::time::sleep(Duration::from_millis(1)).await;
    cx.heartbeat();
    println!("running");
    loop {
        thread::park();
    }
}

async fn hang(_: Context) {
    let _aborted = Aborted;
    println!("stopping");
    pending::<()>().await;
}

/// A service whose value does something when it is dropped.
struct Leaving(fn());

impl Service for Leaving {
    type Error = Infallible;

    async fn run(&self, cx: Context) -> Result<(), Infallible> {
        idle(cx).await;
        Ok(())
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn flush() {
    thread::sleep(SOON);
    println!("flushed");
}

fn block_for_ever() {
    loop {
        thread::park();
    }
}

async fn block_in_pool(_: Context) {
    let parks = tokio::task::spawn_blocking(|| {
        println!("running");
        loop {
            thread::park();
        }
    });
    parks.await.expect("no panic");
}

async fn leave_in_pool(_: Context) {
    drop(tokio::task::spawn_blocking(|| {
        loop {
            thread::park();
        }
    }));
}

async fn reload(cx: Context) {
    println!("running");
    while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
        reload.done();
        println!("reloaded");
    }
}

async fn fail(_: Context) -> Result<(), WithExitCode> {
    Err(WithExitCode::new(
        "no such key\nservice \"db\" is fine\u{1b}[2J",
        78,
    ))
}

fn watched() -> BoxService {
    let settings = Settings::new()
        .watchdog(SOON)
        .abort_timeout(SOON)
        .name("watched");
    let member = Member::new(with(settings, service_fn(block))).on_failure(OnFailure::Ignore);
    let app = Group::builder("app")
        .with("idle", service_fn(idle))
        .then("watched", member);
    app.build().expect("two names").boxed()
}

/// A group that is never ready, for one of its members is not.
fn late() -> BoxService {
    let explicit = Settings::new()
        .readiness(Readiness::Explicit)
        .start_timeout(HOUR);
    let app = Group::builder("late")
        .settings(Settings::new().start_timeout(SOON))
        .with("idle", service_fn(idle))
        .with("never", Member::new(service_fn(idle)).settings(explicit));
    app.build().expect("two names").boxed()
}

/// More members that never start, and have to be aborted, than the history holds failures.
fn many_late() -> BoxService {
    let hangs = || service_fn(async |_cx| std::future::pending::<()>().await);
    let explicit = Settings::new()
        .readiness(Readiness::Explicit)
        .stop_timeout(SOON);
    let app = Group::builder("late").settings(Settings::new().start_timeout(SOON));
    let app = (0..100).fold(app, |app, at| {
        let never = Member::new(hangs()).settings(explicit.clone());
        app.with(format!("never{at}"), never)
    });
    app.build().expect("names of their own").boxed()
}

fn service(kind: &str) -> BoxService {
    let soon = Settings::new()
        .stop_timeout(SOON)
        .abort_timeout(SOON)
        .name(kind.to_owned());
    match kind {
        "idle" => service_fn(idle).boxed(),
        "insists" => service_fn(insists).boxed(),
        "slow" => service_fn(slow).boxed(),
        "deaf" => with(soon.stop_timeout(HOUR), service_fn(deaf)),
        "blocked" => with(soon, service_fn(block)),
        "blocked for an hour" => with(
            soon.stop_timeout(HOUR).abort_timeout(HOUR),
            service_fn(block).on_shutdown(hang),
        ),
        "flushing" => Leaving(flush).boxed(),
        "leaving badly" => Leaving(|| panic!("out of ink")).boxed(),
        "staying" => with(soon, Leaving(block_for_ever)),
        "watched" => watched(),
        "late" => late(),
        "many late" => many_late(),
        "pool" => with(soon, service_fn(block_in_pool)),
        "pool left" => with(soon, service_fn(leave_in_pool)),
        "reloading" => service_fn(reload).boxed(),
        "failing" => with(soon, service_fn(fail)),
        "done" => service_fn(async |_| println!("done")).boxed(),
        _ => panic!("no such service: {kind}"),
    }
}

/// Nobody reads what it prints, and others wait for their turn to.
fn fill_stderr() {
    thread::spawn(|| {
        loop {
            std::io::stderr()
                .write_all(&vec![b'.'; 65536])
                .expect("it is open");
        }
    });
}

/// Uses of `on_exit`, and what may go wrong in it.
fn register() {
    on_exit(|| println!("last"));
    on_exit(|| panic!("out of cheese"));
    on_exit(|| {
        println!(
            "outside: {}",
            tokio::runtime::Handle::try_current().is_err()
        );
        loop {
            thread::park();
        }
    });
    on_exit(|| println!("first"));
}

async fn until(kind: &str) -> ExitCode {
    for _ in 0..2 {
        let runner = Runner::new(service(kind));
        println!("{:?}", runner.run_until_signal().await);
        let mut line = String::new();
        std::io::stdin()
            .read_line(&mut line)
            .expect("a line is text");
    }
    ExitCode::SUCCESS
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (kind, entry, service) = (args[0], args[1], args[2]);
    if args.contains(&"on exit") {
        register();
    }
    if args.contains(&"fills stderr") {
        fill_stderr();
    }
    let run = async || {
        let code = startstop_core::run(self::service(service)).await;
        println!("returned");
        code
    };
    let code = match (entry, kind) {
        // The drop of such a runtime waits for its blocking pool.
        ("run", _) => runtime(kind).block_on(run()),
        ("until", _) => runtime(kind).block_on(until(service)),
        ("main", "own") => startstop_core::main(self::service(service)),
        _ => startstop_core::main_on(runtime(kind), self::service(service)),
    };
    if entry == "main" {
        println!("returned");
    }
    while args.contains(&"stays") {
        thread::park();
    }
    code
}
