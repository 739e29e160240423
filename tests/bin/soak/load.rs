//! Random calls on the group.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use startstop_core::{Group, Runner, StartStop};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::meter::Meter;
use super::{CLIENTS, MEMBERS, member};

/// How long a round is.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Operations(u64),
    Time(Duration),
}

/// Starts the group, loads it, and stops it; how many operations that were.
pub(crate) async fn round(app: &Runner<Group>, meter: &Meter, round: u64, until: Until) -> u64 {
    let descriptors = meter.descriptors();
    app.request_start();
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let rng = fastrand::Rng::with_seed(round * CLIENTS + number);
        clients.spawn(
            Client {
                app: app.clone(),
                rng,
                number,
                added: Vec::new(),
            }
            .work(until),
        );
    }
    sleep(Duration::from_millis(500)).await;
    println!("  under load: {}", meter.left());
    assert!(meter.descriptors() > descriptors, "the load is real");
    let operations = clients.join_all().await.into_iter().sum();
    // Members have failed and hung, so the stop may fail.
    let _ = app.stop().await;
    remove_all(app).await;
    meter.wait_until_quiet().await;
    operations
}

/// Takes off what clients have added.
async fn remove_all(app: &Runner<Group>) {
    let group = app.service();
    for name in group.members().into_iter().skip(MEMBERS) {
        // A removal may fail; what is left of the member is counted in the end.
        let _ = group.remove(&name).await;
    }
    assert_eq!(group.members().len(), MEMBERS);
}

struct Client {
    app: Runner<Group>,
    rng: fastrand::Rng,
    number: u64,
    added: Vec<String>,
}

impl Client {
    async fn work(mut self, until: Until) -> u64 {
        let begun = Instant::now();
        let mut operations = 0;
        loop {
            let over = match until {
                Until::Operations(all) => operations >= all / CLIENTS,
                Until::Time(time) => begun.elapsed() >= time,
            };
            if over {
                return operations;
            }
            self.operate(operations).await;
            operations += 1;
        }
    }

    async fn operate(&mut self, count: u64) {
        match self.rng.u8(..100) {
            0..3 => self.insert(count).await,
            3..6 => self.remove().await,
            6..8 => drop(self.app.status()),
            8 => self.app.request_reload(),
            _ => self.ask_member().await,
        }
    }

    async fn insert(&mut self, count: u64) {
        let name = format!("added-{}-{count}", self.number);
        let dependency = self
            .rng
            .bool()
            .then(|| member::name(self.rng.usize(..MEMBERS)));
        let member = member::new(self.rng.usize(..MEMBERS), dependency);
        self.added.push(name.clone());
        let group = self.app.service();
        self.within(async { drop(group.insert(name, member).await) })
            .await;
    }

    async fn remove(&mut self) {
        if self.added.is_empty() {
            return;
        }
        let name = self.added.swap_remove(self.rng.usize(..self.added.len()));
        let group = self.app.service();
        self.within(async { drop(group.remove(&name).await) }).await;
    }

    async fn ask_member(&mut self) {
        let name = member::name(self.rng.usize(..MEMBERS));
        let Some(member) = self.app.service().get(&name) else {
            return;
        };
        let member: Arc<dyn StartStop> = member;
        match self.rng.u8(..10) {
            0 => member.request_stop(),
            1 => member.request_start(),
            2 => member.request_restart(),
            3 => drop(member.errors_list()),
            4 => self.within(async { drop(member.stop().await) }).await,
            5 => {
                self.within(async { drop(member.stop_within(Duration::ZERO).await) })
                    .await;
            }
            6 => self.within(async { drop(member.restart().await) }).await,
            7 => self.within(async { _ = member.wait().await }).await,
            _ => self.within(async { drop(member.start().await) }).await,
        }
    }

    /// Some calls come to their end, of others the future is dropped.
    async fn within(&self, call: impl Future<Output = ()>) {
        let patience = Duration::from_millis(fastrand::u64(..20));
        let _ = timeout(patience, call).await;
    }
}
