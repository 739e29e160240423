//! The thread takes care of a deadline that was not kept in time. No lock of the thread is held meanwhile.

use std::sync::Weak;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};

use super::task::{drop_on, spawn_apart};
use super::which;
use super::{POLLS_BEFORE_DEADLINE_TASK, SLACK};
use crate::engine::{Job, Node, Shared, Synced, deadline, gate};
use crate::sync::clock;
use crate::sync::{Empty, spawn_boxed};

/// The subject of an entry.
pub(super) enum Watched {
    /// The deadline of a runner, kept by the task with this number; whether a worker was woken for it.
    Deadline {
        node: Weak<dyn Node>,
        id: u32,
        was_nudged: bool,
    },
    /// A timer of a task on this runtime, and how often a worker was woken for it.
    Timer { on: Handle, due: u64, nudges: u32 },
}

/// Returns when the thread looks at what is due then, if the clock of the current runtime goes on.
pub(super) fn look_at(due: u64) -> Option<Instant> {
    Instant::now().checked_add(clock::between(clock::now(), due).checked_add(SLACK)?)
}

impl Watched {
    /// Looks at it: when to look again.
    pub(super) fn look_at(&mut self) -> Option<Instant> {
        match self {
            Self::Deadline {
                node,
                id,
                was_nudged,
            } => {
                let (on, last) = gate::look(node, |_, synced| synced.runtime())?;
                let on = on?;
                drop_on(last, &on);
                // For its clock.
                let _entered = on.enter();
                look_at_deadline(node, *id, was_nudged, &on)
            }
            Self::Timer { on, due, nudges } => {
                let _entered = on.enter();
                if *due > clock::now() {
                    return look_at(*due);
                }
                nudge(on);
                *nudges = nudges.saturating_add(1);
                // Seldom and more seldom, for each leaves a task where no worker is free.
                let pause = SLACK.saturating_mul(1_u32.checked_shl(*nudges).unwrap_or(u32::MAX));
                Instant::now().checked_add(pause)
            }
        }
    }
}

fn look_at_deadline(
    node: &Weak<dyn Node>,
    id: u32,
    was_nudged: &mut bool,
    on: &Handle,
) -> Option<Instant> {
    let (due, last) = gate::look(node, |shared, synced| {
        deadline::next_look(synced, shared, id)
    })?;
    drop_on(last, on);
    let due = due?;
    let is_late = due <= clock::now();
    if !is_late || is_paused(on) {
        *was_nudged = false;
        return look_at(due);
    }
    if !std::mem::replace(was_nudged, true) {
        nudge(on);
        return Instant::now().checked_add(POLLS_BEFORE_DEADLINE_TASK);
    }
    *was_nudged = false;
    let mut due = None;
    let mut parting = gate::change_apart(node, |shared, synced, deferred| {
        which::on_fired(synced, shared, id, deferred);
        due = deadline::next_look(synced, shared, id);
    })?;
    parting.run_urgent();
    // What may be user code, carried away by the task that wakes a worker.
    spawn_boxed(on, Box::pin(async move { parting.run() }));
    look_at(due?)
}

/// Looks whether what was pending still is.
pub(super) fn look_at_pending(node: &Weak<dyn Node>) {
    // Mostly it is not: then there is nothing to be done on its runtime, unless it was this that kept it.
    let look = |shared: &Shared, synced: &mut Synced| {
        let is_due = deadline::is_look_due(synced);
        let on = (is_due || gate::is_left(shared)).then(|| synced.runtime());
        (is_due, on.flatten())
    };
    let Some(((is_due, Some(on)), last)) = gate::look(node, look) else {
        return;
    };
    drop_on(last, &on);
    if !is_due {
        return;
    }
    let is_paused = {
        let _entered = on.enter();
        is_paused(&on)
    };
    let look = |shared: &Shared, synced: &mut Synced| {
        if is_paused {
            deadline::skip_look(synced);
            return None;
        }
        Some(deadline::on_look(synced, shared))
    };
    let Some((found, last)) = gate::look(node, look) else {
        return;
    };
    drop_on(last, &on);
    let Some(found) = found else { return };
    if let Some((on, epoch)) = found.shutdown_call {
        // The attempt does not end before its `shutdown` has.
        Job::ShutdownCall(on, epoch).launch_apart(node);
    }
    if let Some(target) = found.deadline_task {
        spawn_apart(node, &target);
    }
}

/// Wakes a worker, which takes over the timers and the I/O of the runtime.
fn nudge(on: &Handle) {
    on.spawn(Empty { ends: true });
}

/// Returns whether the clock of the current runtime is paused, which only that of a single thread can be.
///
/// No call tells; but a paused clock stands still, or jumps. On a busy machine this thread may be held up between two
/// readings: then it looks again.
fn is_paused(on: &Handle) -> bool {
    on.runtime_flavor() == RuntimeFlavor::CurrentThread && !(0..3).any(|_| passes_by_itself())
}

fn passes_by_itself() -> bool {
    let (real, begin) = (Instant::now(), clock::now());
    thread::sleep(Duration::from_millis(1));
    let (passed, end) = (real.elapsed(), clock::now());
    clock::between(begin, end).abs_diff(passed) < Duration::from_micros(20)
}
