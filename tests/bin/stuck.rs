//! A program whose service blocks its thread for good: `stuck WHERE RUNTIME HOURS`.
//!
//! HOURS is how many of its two deadlines, first that of the stop, then that of the abort, are an hour; else they are soon. It
//! says when it is as far as it gets before it is told to end.

use std::env;
use std::future::pending;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use startstop_core::{BoxError, Context, RestartPolicy, Runner, Service, Settings, Slot, Status};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

const TICK: Duration = Duration::from_millis(5);
const SOON: Duration = Duration::from_millis(50);
const HOUR: Duration = Duration::from_secs(3600);

struct Stuck {
    place: String,
    hours: usize,
    slot: Slot<BlocksInDrop>,
}

fn block() -> ! {
    loop {
        thread::park();
    }
}

fn is_there() {
    println!("there");
}

struct BlocksInDrop;

impl Drop for BlocksInDrop {
    fn drop(&mut self) {
        block();
    }
}

impl Stuck {
    fn is(&self, place: &str) -> bool {
        self.place == place
    }

    fn block(&self, place: &str) {
        if self.is(place) {
            is_there();
            block();
        }
    }

    /// The work of the service beside `run`.
    fn begin(&self, cx: &Context) {
        match self.place.as_str() {
            "task" => cx.spawn(async {
                sleep(TICK).await;
                is_there();
                block();
            }),
            "drop of task" => cx.spawn(async {
                let _blocks = BlocksInDrop;
                is_there();
                pending::<()>().await;
            }),
            "drop of value" => self.slot.fill(cx, BlocksInDrop),
            _ => {}
        }
    }
}

impl Service for Stuck {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        let _blocks = self.is("drop of run").then(|| BlocksInDrop);
        self.block("first poll");
        self.begin(&cx);
        sleep(TICK).await;
        self.block("later poll");
        match self.place.as_str() {
            "predicate" => return Err("broken".into()),
            "task" | "drop of task" | "children" => {}
            _ => is_there(),
        }
        if self.place.starts_with("drop of") && !self.is("drop of value") {
            pending::<()>().await;
        }
        cx.cancelled().await;
        Ok(())
    }

    async fn shutdown(&self, _: Context) -> Result<(), BoxError> {
        if self.is("shutdown") {
            println!("called");
            block();
        }
        Ok(())
    }

    fn settings(&self) -> Settings {
        let [stop, abort] = [0, 1].map(|at| if at < self.hours { HOUR } else { SOON });
        let settings = Settings::new()
            .name("stuck")
            .stop_timeout(stop)
            .abort_timeout(abort);
        if !self.is("predicate") {
            return settings;
        }
        settings.restart(RestartPolicy::on_failure().retry_if(|_| {
            is_there();
            block()
        }))
    }

    fn children(&self) -> Vec<Status> {
        self.block("children");
        Vec::new()
    }
}

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

/// Code that has nothing to do with the service.
fn beside(runner: &Runner<Stuck>, kind: &str) {
    if kind == "4" {
        tokio::spawn(async {
            loop {
                sleep(TICK / 5).await;
            }
        });
    }
    if runner.service().is("children") {
        let runner = runner.clone();
        tokio::spawn(async move {
            // What nobody has polled yet ends in order.
            while !runner.is_running() {
                sleep(TICK).await;
            }
            sleep(2 * TICK).await;
            runner.status();
        });
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let hours = args[2].parse().expect("a number");
    let runner = Runner::new(Stuck {
        place: args[0].clone(),
        hours,
        slot: Slot::new(),
    });
    let runtime = runtime(&args[1]);
    let entered = runtime.enter();
    beside(&runner, &args[1]);
    drop(entered);
    startstop_core::main_on(runtime, runner)
}
