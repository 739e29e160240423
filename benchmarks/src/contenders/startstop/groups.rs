//! What is done to one member of a group, beside many others.

use std::time::{Duration, Instant};

use startstop_core::{Group, Member, Runner};

use super::Idle;

/// A group with so many members that know nothing of each other.
pub(crate) async fn running(members: usize) -> Runner<Group> {
    let builder = Group::builder("many");
    let many = (0..members).fold(builder, |all, member| all.with(member.to_string(), Idle));
    let runner = Runner::new(many.build().expect("the names differ"));
    runner.start().await.expect("it starts");
    runner
}

/// One more is inserted and removed again, so many times.
pub(crate) async fn inserting(members: usize, n: u32) -> Duration {
    let runner = running(members).await;
    let group = runner.service();
    let began = Instant::now();
    for _ in 0..n {
        group
            .insert("one more", Member::new(Idle))
            .await
            .expect("it starts");
        group.remove("one more").await.expect("it stops");
    }
    let time = began.elapsed();
    runner.stop().await.expect("it stops");
    time
}

/// One is restarted by its handle, so many times.
pub(crate) async fn restarting(members: usize, n: u32) -> Duration {
    let runner = running(members).await;
    let one = runner.service().get("0").expect("it is a member");
    let began = Instant::now();
    for _ in 0..n {
        one.restart().await.expect("it restarts");
    }
    let time = began.elapsed();
    runner.stop().await.expect("it stops");
    time
}
