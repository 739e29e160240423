//! What a member of a group takes of the heap, and a task of a context.

use std::convert::Infallible;

use startstop_core::{Context, Runner, service_fn};
use tokio::sync::oneshot;

use crate::contender::Can;
use crate::contenders::{STARTSTOP, groups};
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
        alone(),
    );
    print("A member of a group that runs", MEMBERS, members());
    print(
        "A task of `cx.spawn` with a future of 10,240 bytes",
        TASKS,
        tasks(),
    );
}

fn print(what: &str, many: usize, heap: impl Future<Output = Heap>) {
    let heap = Flavour::CurrentThread.runtime().block_on(heap);
    let each = |all: i64| all as f64 / many as f64;
    println!(
        "{what}: {:.0} bytes in {:.2}",
        each(heap.bytes),
        each(heap.allocations)
    );
}

/// The heap of so many that run, each with a value of eight bytes.
async fn alone() -> Heap {
    let Can::Do(crowd) = STARTSTOP.crowd else {
        unreachable!("it can be one of many")
    };
    crowd(MEMBERS).await.heap
}

/// The heap that the members take beside the group: of twice as many, less that of so many.
async fn members() -> Heap {
    let once = grown(MEMBERS).await;
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
