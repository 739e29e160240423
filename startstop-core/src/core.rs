//! The shared part of a runner: one [`Cell`] under one lock, and beside it what is read without.
//!
//! Whatever happens to a service (a call, a poll, a deadline, a drop) becomes one input to the
//! [`lifecycle`](crate::lifecycle) under one short lock. The order under it is fixed, and promises
//! rest on it:
//!
//! 1. *Record, then store, then answer.* A failure is in the history before the state changes, and
//!    the state is stored before any waiter is answered.
//! 2. *Wake, cancel, spawn and drop after the lock.* Foreign code (wakers, tokens, destructors, a
//!    runtime that drops what it is given) never runs under the lock: it is put into [`After`].
//! 3. *Registered is done.* A call has its whole effect under the lock; its future only reads what
//!    came of it, so that dropping the future is harmless.
//! 4. *The driver settles.* The end of an attempt is settled by the task that drives the service, so that no
//!    driver is left when the cycle has ended. Only if that task is gone does the last part to end settle it.

mod after;
mod apply;
mod ended;
mod parts;
mod record;
mod settle;
mod signal;
mod timer;
mod wholes;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::clock;
use crate::failure::Failure;
use crate::history::History;
use crate::lifecycle::{Level, Lifecycle, Rules, Timer};
use crate::parent::Parent;
use crate::retry::Retries;
use crate::settings::Resolved;
use crate::state::{Exit, State};
use crate::status::Status;
use crate::sync::{AbortHandle, AtomicBool, AtomicU32, CancellationToken, Mutex, MutexGuard};
use crate::waiters::Waiters;
use crate::word::Word;

pub(crate) use after::After;
pub(crate) use parts::PartEnd;
pub(crate) use settle::Cue;
pub(crate) use timer::Arm;
pub(crate) use wholes::{Hold, Observer};

use ended::Ended;
use signal::Signal;
use wholes::Wholes;

/// A core together with the service that it is about, whatever its type.
pub(crate) trait Node: Send + Sync + 'static {
    fn core(&self) -> &Core;

    /// The statuses that the service itself gives of what it is made of.
    fn children(&self) -> Vec<Status>;

    /// What the service is made of, where it is made of runners.
    fn parts(&self) -> Vec<(Cow<'static, str>, Arc<dyn Node>)>;

    /// Spawns what the core needs.
    fn launch(self: Arc<Self>, job: Job);
}

/// Something that is done at the end of an attempt, by its driver, before the end is settled: so a panic of it is in
/// the history before the state changes. If the driver is gone with its runtime, it is done after the lock.
pub(crate) struct Ending(pub(crate) Box<dyn FnOnce() + Send>);

/// What a core asks to be spawned.
pub(crate) enum Job {
    /// The task that drives the service.
    Driver(Seat),
    /// The task that keeps the deadlines.
    Keeper(Seat),
    /// The call of `shutdown`.
    Hook(Handle, u64),
}

/// Where a task of the core is to run, and the number it proves itself with.
pub(crate) struct Seat {
    pub(crate) on: Handle,
    pub(crate) id: u32,
}

/// The shared part of a runner.
pub(crate) struct Core {
    pub(crate) word: Word,
    signal: Signal,
    /// How many runners there are for the service: fewer than 2^32.
    pub(crate) handles: AtomicU32,
    pub(crate) detached: AtomicBool,
    /// Whether the driver is polling `run` at this moment.
    pub(crate) polling: AtomicBool,
    pub(crate) settings: Resolved,
    /// Whether the service has a `shutdown` of its own.
    hooked: bool,
    /// The name of the service where its settings give none.
    default_name: fn() -> &'static str,
    cell: Mutex<Cell>,
}

/// What is under the lock.
#[allow(clippy::struct_excessive_bools)] // Marks that hold beside each other in any mixture.
pub(crate) struct Cell {
    pub(crate) life: Lifecycle,
    pub(crate) cycle: u64,
    /// Attempts over all cycles: the number of the current one.
    pub(crate) attempts: u64,
    /// How many of them are of this cycle; no more are counted than fit.
    attempts_of_cycle: u32,
    /// Time in `Running` over all cycles, without the current one, in nanoseconds.
    pub(crate) ran: u64,
    pub(crate) exit: Exit,
    /// The keeper is spawned only when the one who asked for the stop sees that it takes longer.
    owes_keeper: bool,
    timer: Timer,
    /// How often the state has changed.
    pub(crate) version: u32,
    driver_id: u32,
    keeper_id: u32,
    /// When `run` was entered.
    began_at: u64,
    /// When what `timer` stands for is due, or the next attempt.
    due: u64,
    /// When the service will be aborted.
    stop_at: u64,
    driver: Option<Waker>,
    /// Whether there is a driver.
    driven: bool,
    on: Option<Handle>,
    keeper: Option<AbortHandle>,
    pub(crate) waiters: Waiters,
    rare: Option<Box<Rare>>,
}

/// What most services never need.
#[derive(Default)]
pub(crate) struct Rare {
    history: History,
    /// A reload request that nobody has looked at.
    reload: bool,
    /// The deadline of the stop is kept by the whole that this service is a part of.
    whole_keeps: bool,
    /// How long the attempt was in `Running`, once it is not any more.
    healthy: u64,
    /// An attempt of this cycle has counted as ready.
    started: bool,
    /// The last failure of this cycle.
    last: Option<Failure>,
    /// The last failure after the stop of this cycle had begun.
    after_stop: Option<Failure>,
    /// The failure that ended the attempt.
    ended_by: Option<Failure>,
    /// What `retry_if` has said of it.
    worth_it: Option<bool>,
    /// The name, as failures share it.
    name: Option<Arc<str>>,
    /// The tasks of the attempt; `None` while one is being spawned.
    tasks: BTreeMap<u64, Option<AbortHandle>>,
    next_task: u64,
    /// The task that `shutdown` is called in.
    hook: Option<AbortHandle>,
    token: Option<Arc<CancellationToken>>,
    deadline_token: Option<Arc<CancellationToken>>,
    retries: Retries,
    pub(crate) parent: Option<Arc<Parent>>,
    /// Where the cycle that follows is to run.
    next_on: Option<Handle>,
    wholes: Wholes,
    /// What is done at the end of the attempt.
    endings: Vec<Ending>,
    /// How the last cycle ended.
    ended: Ended,
    /// What is stuck, once the end was given up.
    verdict: Option<crate::error::Unresponsive>,
}

impl Core {
    pub(crate) fn new(
        settings: Resolved,
        default_name: fn() -> &'static str,
        hooked: bool,
    ) -> Self {
        Self {
            word: Word::new(),
            signal: Signal::new(),
            handles: AtomicU32::new(1),
            detached: AtomicBool::new(false),
            polling: AtomicBool::new(false),
            settings,
            hooked,
            default_name,
            cell: Mutex::new(Cell::new()),
        }
    }

    /// The cell, for a look.
    #[inline]
    pub(crate) fn cell(&self) -> MutexGuard<'_, Cell> {
        // What panics under the lock, such as the clone of a waker, leaves a cell that is still of use.
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of the service.
    pub(crate) fn name(&self) -> &str {
        self.settings.name().unwrap_or_else(|| (self.default_name)())
    }

    /// Whether the service has a `shutdown` of its own.
    pub(crate) fn is_hooked(&self) -> bool {
        self.hooked
    }

    /// Whether the last runner is gone.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.handles.load(Ordering::Acquire) == 0
    }

    /// Whether the service may run: there is a runner, or it was let go on without.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.is_abandoned() || self.detached.load(Ordering::Acquire)
    }

    /// The settings that the rules depend on.
    #[inline]
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            readiness: self.settings.readiness(),
            drains: !self.settings.drain().is_zero(),
            shutdown_always: self.settings.shutdown_always(),
            hooked: self.hooked,
            aborts: self.settings.stop_timeout().is_zero(),
        }
    }

    /// How far the end of attempt `epoch` has come, without the lock: an attempt that is over is
    /// as far as it gets.
    pub(crate) fn level(&self, epoch: u64) -> Level {
        self.signal.level(epoch)
    }

    /// How far the end of the current attempt has come: for the driver of it.
    #[inline]
    pub(crate) fn current_level(&self) -> Level {
        self.signal.current()
    }

    /// Whether `epoch` is the current attempt.
    pub(crate) fn is_current(&self, epoch: u64) -> bool {
        self.signal.epoch() == epoch
    }

    /// Notes a heartbeat of attempt `epoch`; free where there is no watchdog.
    pub(crate) fn heartbeat(&self, epoch: u64) {
        let Some((_, beat)) = self.settings.watch() else { return };
        if self.is_current(epoch) {
            beat.store(clock::now(), Ordering::Release);
        }
    }
}

/// Changes a core under its lock and carries out what follows from that after it.
pub(crate) fn update<N, T>(
    node: &Arc<N>,
    change: impl FnOnce(&Core, &mut Cell, &mut After) -> T,
) -> T
where
    N: Node + ?Sized,
{
    let core = node.core();
    let mut after = After::default();
    let mut cell = core.cell();
    let result = change(core, &mut cell, &mut after);
    drop(cell);
    after.carry_out(node);
    result
}

impl Cell {
    fn new() -> Self {
        Self {
            life: Lifecycle::default(),
            cycle: 0,
            attempts: 0,
            attempts_of_cycle: 0,
            ran: 0,
            exit: Exit::Stopped,
            owes_keeper: false,
            timer: Timer::None,
            version: 0,
            driver_id: 0,
            keeper_id: 0,
            began_at: 0,
            due: clock::NEVER,
            stop_at: clock::NEVER,
            driver: None,
            driven: false,
            on: None,
            keeper: None,
            waiters: Waiters::new(),
            rare: None,
        }
    }

    pub(crate) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// The rare part if it is there, or if it is `needed`.
    #[inline]
    pub(crate) fn rare_if(&mut self, needed: bool) -> Option<&mut Rare> {
        if needed {
            self.rare.get_or_insert_default();
        }
        self.rare.as_deref_mut()
    }

    /// Has something done at the end of attempt `epoch`; hands it back if that has ended.
    pub(crate) fn at_end(&mut self, epoch: u64, ending: Ending) -> Option<Ending> {
        if self.attempts != epoch || !self.life.is_alive() {
            return Some(ending);
        }
        self.rare().endings.push(ending);
        None
    }

    #[inline]
    pub(crate) fn state(&self) -> State {
        self.life.state()
    }

    /// The number of the current attempt within its cycle, from 1; 0 before the first.
    pub(crate) fn attempt(&self) -> u64 {
        self.attempts_of_cycle.into()
    }

    /// The current cycle and attempt, as events have them.
    pub(crate) fn tag(&self) -> (u64, u64) {
        (self.cycle, self.attempt())
    }

    /// The number of attempt `epoch` within the current cycle; 0 if it was in an earlier one.
    pub(crate) fn attempt_of(&self, epoch: u64) -> u64 {
        (epoch + self.attempt()).saturating_sub(self.attempts)
    }

    /// The runtime of the cycle.
    pub(crate) fn runtime(&self) -> Option<&Handle> {
        self.on.as_ref()
    }

    /// The failures of all cycles.
    pub(crate) fn history(&self) -> History {
        self.rare.as_ref().map(|rare| rare.history.clone()).unwrap_or_default()
    }

    /// Notes whether there is a reload request that nobody has looked at.
    pub(crate) fn set_reload(&mut self, asked: bool) {
        if let Some(rare) = self.rare_if(asked) {
            rare.reload = asked;
        }
    }

    /// Whether there is a reload request, which is looked at now.
    pub(crate) fn take_reload(&mut self) -> bool {
        self.rare.as_mut().is_some_and(|rare| std::mem::take(&mut rare.reload))
    }

    /// Whether the deadline of the stop is kept by the whole that this service is a part of.
    fn whole_keeps(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.whole_keeps)
    }

    /// How long the attempt was in `Running`, once it is not any more.
    fn healthy(&self) -> Duration {
        self.rare.as_ref().map_or(Duration::ZERO, |rare| Duration::from_nanos(rare.healthy))
    }

    /// The last failure of the current or most recent cycle.
    pub(crate) fn last_failure(&self) -> Option<&Failure> {
        self.rare.as_ref()?.last.as_ref()
    }

    /// The parent, if there is one.
    pub(crate) fn parent(&self) -> Option<&Arc<Parent>> {
        self.rare.as_ref()?.parent.as_ref()
    }

    /// Whether a keeper is to be spawned if the stop takes longer.
    pub(crate) fn owes_keeper(&self) -> bool {
        self.owes_keeper
    }

    /// What is stuck, once the end of this cycle was given up.
    pub(crate) fn verdict(&self) -> Option<&crate::error::Unresponsive> {
        self.rare.as_ref()?.verdict.as_ref()
    }

    /// When the service will be aborted, once a stop was asked for.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        clock::instant(self.stop_at)
    }

    /// When the next attempt begins, in `Backoff`.
    pub(crate) fn next_attempt(&self) -> Option<u64> {
        (self.state() == State::Backoff).then_some(self.due)
    }

    /// How many attempts were restarts of a policy.
    pub(crate) fn restarts(&self) -> u64 {
        self.rare.as_ref().map_or(0, |rare| rare.retries.total())
    }
}
