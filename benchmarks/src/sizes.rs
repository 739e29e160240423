//! What a member of a group takes of the heap, and a task of a context.

use std::convert::Infallible;
use std::thread;
use std::time::Duration;

use startstop_core::{Context, Runner, service_fn};
use tokio::sync::oneshot;

use crate::contender::{Can, Contender};
use crate::contenders::{FLOOR, STARTSTOP, groups};
use crate::crowd::{Heap, Watch};
use crate::flavour::Flavour;

/// How many are there at once.
const MEMBERS: usize = 10_000;
const TASKS: usize = 1_000;

/// How large the future of a task is.
const LARGE: usize = 10_240;

/// Counts, and prints a line for each. For a program with a counting allocator.
pub fn count_sizes() {
    if cfg!(feature = "tracing") {
        let what = "The same, built with `tracing`";
        print(what, TASKS, tasks());
        return;
    }
    print(
        "A service that runs alone, its own value included",
        MEMBERS,
        alone(&STARTSTOP),
    );
    print("A task and a token of bare tokio", MEMBERS, alone(&FLOOR));
    print("A member of a group that runs", MEMBERS, members());
    print(
        "A task of `cx.spawn` with a future of 10,240 bytes",
        TASKS,
        tasks(),
    );
}

fn print(what: &str, many: usize, heap: impl Future<Output = Heap>) {
    let heap = Flavour::CurrentThread.runtime().block_on(heap);
    settle();
    let each = |all: i64| all as f64 / many as f64;
    println!(
        "{what}: {:.0} bytes in {:.2}",
        each(heap.bytes),
        each(heap.allocations)
    );
}

/// Waits until the thread that looks at deadlines has let go of what has stopped: else that is freed while others are counted.
fn settle() {
    thread::sleep(Duration::from_millis(500));
}

/// The heap of so many that run, each with a value of eight bytes.
async fn alone(who: &Contender) -> Heap {
    let Can::Do(crowd) = who.crowd else {
        unreachable!("it can be one of many")
    };
    widen(MEMBERS).await;
    crowd(MEMBERS).await.heap
}

/// Has the queue of the runtime grow now, and not while services are counted: it is none of theirs.
async fn widen(tasks: usize) {
    let Can::Do(bare) = FLOOR.crowd else {
        unreachable!("it can be one of many")
    };
    bare(tasks).await;
}

/// The heap that the members take beside the group: of twice as many, less that of so many.
async fn members() -> Heap {
    widen(2 * MEMBERS).await;
    let once = grown(MEMBERS).await;
    settle();
    let twice = grown(2 * MEMBERS).await;
    Heap {
        bytes: twice.bytes - once.bytes,
        allocations: twice.allocations - once.allocations,
    }
}

/// What is there when so many members run, since before they were made.
async fn grown(members: usize) -> Heap {
    let watch = Watch::begin();
    let runner = groups::running(members).await;
    let heap = watch.heap();
    runner.stop().await.expect("it stops");
    heap
}

/// What is there when so many tasks wait.
async fn tasks() -> Heap {
    let (found, finds) = oneshot::channel();
    let found = std::sync::Mutex::new(Some(found));
    let runner = Runner::new(service_fn(move |cx: Context| {
        let found = found.lock().expect("nobody panics").take();
        async move {
            let watch = Watch::begin();
            for _ in 0..TASKS {
                let told = cx.clone();
                cx.spawn(async move {
                    let large = [1_u8; LARGE];
                    told.cancelled().await;
                    std::hint::black_box(large);
                });
            }
            // Once each of them has been polled.
            tokio::task::yield_now().await;
            found.map(|found| found.send(watch.heap()));
            cx.cancelled().await;
            Ok::<(), Infallible>(())
        }
    }));
    runner.start().await.expect("it starts");
    let heap = finds.await.expect("it is counted");
    runner.stop().await.expect("it stops");
    heap
}
