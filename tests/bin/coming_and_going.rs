//! Prints how many more bytes a group holds after members have come and gone many times, beside one that stays: first those
//! that are removed, then those that leave when they have ended; and at last a service after it has attached and detached as
//! many parts in one attempt.

use std::alloc::System;
use std::time::Duration;

use startstop_core::{Context, Group, Member, Runner, once, service_fn};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TIMES: u32 = 5_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let app = Runner::new(Group::builder("app").build().expect("it is empty"));
    app.start().await.expect("it has no members");
    // The first members take memory that later ones use again.
    come_and_go(app.service(), 0).await;
    settle().await;
    let region = Region::new(ALLOCATOR);
    come_and_go(app.service(), TIMES).await;
    settle().await;
    print("removed", &region);
    leave(app.service()).await;
    settle().await;
    let region = Region::new(ALLOCATOR);
    leave(app.service()).await;
    settle().await;
    print("left", &region);
    app.stop().await.expect("they stop well");
    let whole = Runner::new(once(async |cx: Context| {
        attach_and_detach(&cx).await;
        let region = Region::new(ALLOCATOR);
        attach_and_detach(&cx).await;
        print("detached", &region);
    }));
    whole.start().await.expect("it attaches and detaches");
}

async fn attach_and_detach(cx: &Context) {
    for _ in 0..TIMES {
        let step = Runner::new(once(async |_cx| ()));
        cx.attach("step", &step).expect("its name is free");
        step.start().await.expect("it does nothing");
        step.stop().await.expect("it has ended");
        assert!(cx.detach(&step), "it has ended");
    }
}

/// There is always at least one.
async fn come_and_go(group: &Group, first: u32) {
    for at in first..first + TIMES {
        let idle = service_fn(async |cx| cx.cancelled().await);
        group
            .insert(at.to_string(), idle)
            .await
            .expect("it is ready at once");
        if at > 0 {
            group
                .remove(&(at - 1).to_string())
                .await
                .expect("it stops at once");
        }
    }
}

async fn leave(group: &Group) {
    for _ in 0..TIMES {
        let job = Member::new(once(async |_cx| ())).transient();
        group.insert("job", job).await.expect("it does nothing");
        while group.get("job").is_some() {
            tokio::task::yield_now().await;
        }
    }
}

/// A stop is looked at once, within 50 ms, and what it was about is there until then.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

fn print(what: &str, region: &Region<'_, System>) {
    let change = region.change();
    println!(
        "{what} {}",
        change.bytes_allocated as i128 - change.bytes_deallocated as i128
    );
}
