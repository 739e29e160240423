//! `Shards`: many services, each in one of many processes.

mod fixed;
mod plan;
mod ours;
mod view;
mod run;
mod take;
mod watching;
mod balance;
mod whole;

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use startstop_core::{
    BoxError, Context, Group, Member as Part, Permanent, Readiness, Service, Settings,
};

pub use self::fixed::{FixedShards, ShardsError};
use self::ours::Ours;
use self::run::{Balance, Make};
use self::view::plain;
use self::whole::Whole;
use crate::identity::identity;
use crate::in_term::InTerm;
use crate::leader::{Leader, LeaderError, OnOverrun};
use crate::patience::limited;
use crate::store::{LeaseStore, StoreError};
use crate::term::Term;
use crate::timing::Timing;

/// `count` services, shared out among the processes that have a `Shards` of the same name on the same store: each runs in
/// one of them at a time, and none has more than ⌈count / processes⌉ once it is quiet.
///
/// A process holds one lease, which it renews as a [`Leader`] does, with the same promise: told to stop early enough, given up after
/// the end, and the end of the process otherwise. What it owns is in force for as long as that lease is. Whoever has too many
/// when another process joins stops some of them, releases them, and only then the other one takes them; so at most ⌈count /
/// processes⌉ move. Which ones is decided by rendezvous hashing.
///
/// A start is refused if the store refuses to list, or to have the lease of a process, as that of a [`Leader`] is.
///
/// A service that does not end although it was aborted is moved nowhere while its process lives: its thread is blocked, which only the end
/// of the process mends. Its part is [unresponsive](startstop_core::Status::unresponsive), which fails the liveness of `startstop-host`.
///
/// A service is to run until it is told to stop: one that ends by itself is started again, here or elsewhere. Each start of one has
/// a [`Term`] with a fence of its own.
///
/// A process costs the store one lease, and one watch where it [tells](LeaseStore::watch) of changes; elsewhere it lists the records of
/// all shards each [`retry`](Timing::retry).
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, service_fn};
/// use startstop_fleet::{Memory, Shards, Term};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let orders = Shards::new("orders", 4, Memory::new(), |shard: u32, term: Term| {
///     service_fn(move |cx| {
///         assert!(shard < 4 && term.is_valid());
///         async move { cx.cancelled().await }
///     })
/// });
/// let runner = Runner::new(orders);
/// runner.start().await.unwrap();
/// let mut owned = runner.service().owned();
/// owned.wait_for(|owned| owned.len() == 4).await.unwrap(); // there is no other process
/// runner.stop().await.unwrap();
/// # }
/// ```
pub struct Shards<S: Service, L: LeaseStore> {
    name: Arc<str>,
    count: u32,
    store: Arc<L>,
    make: Make<S>,
    settings: Settings,
    timing: Timing,
    on_overrun: OnOverrun,
    owned: tokio::sync::watch::Sender<Vec<u32>>,
    current: Mutex<Option<Arc<Member<L>>>>,
}

/// The lease of this process, and the group of what it owns.
type Member<L> = Leader<Whole, Arc<L>>;

impl<S: Service, L: LeaseStore> Shards<S, L> {
    /// Makes one process of those that share `count` services out; `make` makes that of a shard, from 0 on, for each of its terms.
    ///
    /// All processes have the same `count`. While it differs, as in a rolling update that changes it, each runs in one of them at most,
    /// and some may run in none until the last process with the old number is gone.
    pub fn new(
        name: impl Into<String>,
        count: u32,
        store: L,
        make: impl Fn(u32, Term) -> S + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name.into().into(),
            count,
            store: Arc::new(store),
            make: Arc::new(make),
            settings: Settings::new(),
            timing: Timing::default(),
            on_overrun: OnOverrun::default(),
            owned: tokio::sync::watch::Sender::default(),
            current: Mutex::new(None),
        }
    }

    /// Sets the settings of the services, over their own ones.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets how long the lease of a process lasts and when it is renewed; see [`Leader::timing`].
    pub fn timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Sets what becomes of a process whose services have not ended when its lease is over.
    pub fn on_overrun(mut self, on_overrun: OnOverrun) -> Self {
        self.on_overrun = on_overrun;
        self
    }

    /// Returns a watch on the shards that run here, sorted.
    ///
    /// # Examples
    ///
    /// See [`Shards`].
    pub fn owned(&self) -> tokio::sync::watch::Receiver<Vec<u32>> {
        self.owned.subscribe()
    }

    /// The lease of a process is checked by itself; beyond that all records are listed.
    async fn check(&self) -> Result<(), BoxError> {
        let prefix = format!("{}/", self.name);
        match limited(self.timing.call_limit(), self.store.list(&prefix)).await {
            Err(error @ StoreError::Refused(_)) => {
                Err(Permanent::new(LeaderError::Refused(error)).into())
            }
            _ => Ok(()),
        }
    }

    /// Returns a member of its own for each run, so that no other one ever has its name.
    fn member(&self) -> Member<L> {
        let identity = identity();
        let member: Arc<str> = plain(&identity).into();
        let name = format!("{}/members/{member}", self.name);
        let (settings, timing) = (self.settings.clone(), self.timing);
        let balance = Balance {
            name: self.name.clone(),
            member,
            count: self.count,
            store: self.store.clone(),
            make: self.make.clone(),
            settings: settings.clone(),
            timing,
            owned: self.owned.clone(),
        };
        let balance = Arc::new(balance);
        let make = move |term: Term| group(&balance, term);
        let leader = Leader::new(name, self.store.clone(), make);
        leader
            .called_member()
            .settings(grace(&settings))
            .timing(timing)
            .on_overrun(self.on_overrun)
    }

    fn set_current(&self, current: Option<Arc<Member<L>>>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = current;
    }

    fn current(&self) -> Option<Arc<Member<L>>> {
        self.current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A group has no stop timeout of its own: for the check of the timing it is that of what is in it.
fn grace(settings: &Settings) -> Settings {
    let mut grace = Settings::new();
    if let Some(timeout) = settings.get_stop_timeout() {
        grace = grace.stop_timeout(timeout);
    }
    if let Some(timeout) = settings.get_abort_timeout() {
        grace = grace.abort_timeout(timeout);
    }
    grace
}

/// Returns the group of a term: the balance at first, and the shards as they come.
fn group<S: Service, L: LeaseStore>(balance: &Arc<Balance<S, L>>, term: Term) -> Whole {
    let handle = Arc::new(OnceLock::new());
    let (balance, seen, short) = (balance.clone(), handle.clone(), grace(&balance.settings));
    // A balance that is restarted finds the shards that it had.
    let ours = Arc::new(Ours::default());
    let (own, all) = (term.beside(BALANCE.to_owned(), term.fence()), ours.clone());
    let run = startstop_core::service_fn(move |cx: Context| {
        let (balance, term, seen) = (balance.clone(), term.clone(), seen.clone());
        let ours = ours.clone();
        async move { balance.run(cx, term, ours, &seen).await }
    });
    // This part ends at once when it is told to, so it needs no more time than the shards.
    let run = Part::new(InTerm::new(run, own)).settings(short);
    let group = Group::builder("shards").with(BALANCE, run).build();
    let group = Arc::new(group.expect("one member, with a name"));
    handle
        .set(Arc::downgrade(&group))
        .expect("it is set here alone");
    Whole { group, ours: all }
}

/// The member of the group that is no shard.
const BALANCE: &str = "balance";

impl<S: Service, L: LeaseStore> Service for Shards<S, L> {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        if let Some(checked) = cx.run_until_cancelled(self.check()).await {
            checked?;
        }
        let member = Arc::new(self.member());
        self.set_current(Some(member.clone()));
        let ended = member.run(cx).await;
        self.owned.send_replace(Vec::new());
        ended
    }

    fn settings(&self) -> Settings {
        let settings = Settings::new()
            .name(self.name.to_string())
            .readiness(Readiness::Explicit);
        settings.stop_timeout(Duration::MAX)
    }

    fn grace(&self) -> Option<Duration> {
        self.current()
            .and_then(|member| Service::grace(&*member))
            .or_else(|| Service::grace(&self.member()))
    }
}

impl<S: Service, L: LeaseStore> fmt::Debug for Shards<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shards")
            .field("name", &self.name)
            .field("count", &self.count)
            .field("owned", &*self.owned.borrow())
            .finish_non_exhaustive()
    }
}
