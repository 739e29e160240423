//! What a member of a group takes of the heap, and a task of a context.

use std::convert::Infallible;

use startstop_core::{Context, Group, Runner, service_fn};
use tokio::sync::oneshot;

use crate::contenders::Idle;
use crate::crowd::{Heap, Watch};
use crate::flavour::Flavour;

/// How many members or tasks are there at once.
const MANY: usize = 10_000;

/// How large the future of a task is.
const LARGE: usize = 10_240;

/// Counts, and prints a line for each. For a program with a counting allocator.
pub fn count_sizes() {
    for work in ["a member of a group that runs", "a task of a context, with 10,240 bytes"] {
        let runtime = Flavour::CurrentThread.runtime();
        let (of, heap) = if work.starts_with("a member") {
            (MANY, runtime.block_on(members()))
        } else {
            (MANY / 10, runtime.block_on(tasks()))
        };
        let each = |all: i64| all as f64 / of as f64;
        println!("{work}: {:.0} bytes in {:.2}", each(heap.bytes), each(heap.allocations));
    }
}

/// The heap that the members take beside the group: of twice as many, less that of so many.
async fn members() -> Heap {
    let once = grown(MANY).await;
    let twice = grown(2 * MANY).await;
    Heap { bytes: twice.bytes - once.bytes, allocations: twice.allocations - once.allocations }
}

/// What is there when so many members run, since before they were made.
async fn grown(members: usize) -> Heap {
    let watch = Watch::begin();
    let builder = Group::builder("many");
    let many = (0..members).fold(builder, |all, member| all.with(member.to_string(), Idle));
    let runner = Runner::new(many.build().expect("the names differ"));
    runner.start().await.expect("it starts");
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
            for _ in 0..MANY / 10 {
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
