//! A leader whose store is cut off and whose service does not end: its process has to. `overrun CASE current|one`: on the thread that
//! polls, or on a runtime with one worker.

#[path = "../support.rs"]
#[allow(dead_code)]
mod support;

use std::env;
use std::io::Write;
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use startstop_core::{BoxService, Context, Runner, Service, Settings, blocking_fn, service_fn};
use startstop_fleet::{Leader, Memory, OnOverrun, Term};
use support::{Cable, QUICK};

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(600);

fn main() {
    let case = env::args().nth(1).expect("a case");
    let mut runtime = match env::args().nth(2).as_deref() {
        Some("one") => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    startstop_core::__on_leave(match &*case {
        "leaves" => leave_slowly,
        _ => say_left,
    });
    match &*case {
        "stderr" => fill_stderr(),
        "exit" => hang_in_exit(),
        _ => {}
    }
    runtime.block_on(run(&case));
    // The end of the process takes away what hangs.
    process::exit(0);
}

fn say_left() {
    println!("left");
}

/// It takes longer than the last words have, and less than is left of the term.
fn leave_slowly() {
    thread::sleep(Duration::from_millis(15));
    say_left();
}

async fn run(case: &str) {
    let cable = Cable::new(&Memory::new());
    let on_overrun = match case {
        "report" => OnOverrun::Report,
        _ => OnOverrun::ExitProcess,
    };
    let (stop, abort) = match case {
        // Together with `renew_by` it is all of a term but for 20 ms.
        "tight" => (5_479, 1),
        _ => (300, 100),
    };
    let settings = Settings::new()
        .stop_timeout(Duration::from_millis(stop))
        .abort_timeout(Duration::from_millis(abort));
    let service = case.to_owned();
    let leader = Leader::new("invoices", cable.clone(), move |term| made(&service, term));
    let runner = Runner::new(
        leader
            .timing(QUICK)
            .settings(settings)
            .on_overrun(on_overrun)
            .ready_when_leading(),
    );
    runner.start().await.unwrap();
    match case {
        "frozen" => return tokio::time::sleep(LONG).await,
        // One that has not begun is not run when it is stopped.
        "resigns" => {
            began().await;
            runner.service().resign();
            given_up(&runner).await;
        }
        "stops" => {
            began().await;
            runner.stop().await.ok();
        }
        _ => cable.cut(),
    }
    let left = match case {
        // Its term is not valid any more, whatever is left of its lease.
        "stops" => QUICK.validity(),
        _ => TERM.lock().unwrap().as_ref().expect("it leads").left(),
    };
    let margin = QUICK.lease.saturating_sub(QUICK.validity());
    println!("over {}", nanos(now() + left + margin));
    if case == "dropped" {
        began().await;
    }
    if case.starts_with("dropped") {
        runner.stop_within(Duration::ZERO).await.ok();
    }
    match case {
        "sound" | "report" | "tight" | "dropped-and-ended" => {
            tokio::time::sleep(QUICK.lease + Duration::from_secs(1)).await;
        }
        _ => tokio::time::sleep(LONG).await,
    }
}

async fn given_up(runner: &Runner<impl Service>) {
    let is_given_up = || {
        let status = runner.status();
        let mut led = status.children().iter();
        led.any(|led| led.unresponsive().is_some())
    };
    while !is_given_up() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The leader has taken that in, too.
    tokio::time::sleep(Duration::from_millis(100)).await;
}

async fn began() {
    while !BEGAN.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The service has begun.
static BEGAN: AtomicBool = AtomicBool::new(false);

/// That of the leader.
static TERM: Mutex<Option<Term>> = Mutex::new(None);

/// The clock that terms are measured by.
fn now() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap(),
        u32::try_from(now.tv_nsec).unwrap(),
    )
}

fn nanos(time: Duration) -> u128 {
    time.as_nanos()
}

fn made(case: &str, term: Term) -> BoxService {
    *TERM.lock().unwrap() = Some(term.clone());
    match case {
        "blocks" | "stderr" | "exit" => service_fn(|cx: Context| async move {
            cx.cancelled().await;
            thread::sleep(LONG);
        })
        .boxed(),
        "destructor" | "dropped" => service_fn(|_: Context| async {
            let _hangs = Hangs;
            BEGAN.store(true, Ordering::SeqCst);
            std::future::pending::<()>().await;
        })
        .boxed(),
        "frozen" => service_fn(move |cx: Context| {
            let term = term.clone();
            async move {
                while !cx.is_cancelled() {
                    let valid = if term.is_valid() { "valid" } else { "over" };
                    println!("{} {valid}", term.fence());
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        })
        .boxed(),
        // It takes all of the time that it has to stop, and is dropped then.
        "tight" => service_fn(|_: Context| std::future::pending::<()>()).boxed(),
        // A thread cannot be aborted.
        "deaf" | "leaves" | "report" | "resigns" | "stops" => blocking_fn(|_| {
            BEGAN.store(true, Ordering::SeqCst);
            thread::sleep(LONG);
        })
        .boxed(),
        _ => service_fn(async |cx| cx.cancelled().await).boxed(),
    }
}

struct Hangs;

impl Drop for Hangs {
    fn drop(&mut self) {
        thread::sleep(LONG);
    }
}

/// Fills stderr, a pipe whose other end nobody reads.
fn fill_stderr() {
    thread::spawn(|| {
        loop {
            std::io::stderr().lock().write_all(&[b'.'; 4096]).ok();
        }
    });
    thread::sleep(Duration::from_millis(200));
}

/// A destructor of a thread's local value runs inside of `exit`, which others then wait for.
fn hang_in_exit() {
    thread_local! {
        static LOCAL: Hangs = const { Hangs };
    }
    thread::spawn(|| {
        thread::sleep(Duration::from_millis(500));
        LOCAL.with(|_| {});
        process::exit(0);
    });
}
