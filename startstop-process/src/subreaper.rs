//! Orphans of our children: they become ours, and end with the subreaper.
//!
//! 1. Nothing is taken that somebody else may wait for: only what is in the group of a `Process` and not its
//!    leader, or bears the mark that each `Process` gives to its child while a subreaper lives.
//! 2. A child of a `Process` is no orphan, before its group is known either.
//! 3. Nothing is signalled by its id, which may be another's by then, but by a descriptor. A group keeps its id until its leader
//!    is reaped.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, PidfdFlags, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal,
    set_child_subreaper, waitid,
};

use crate::proc_fs::{self, Stat};
use crate::signal::Signal;

/// The mark that orphans who have left their group are recognised by: the id of this process.
pub(crate) const MARK: &str = "STARTSTOP_SUBREAPER";

/// How often zombies are looked for.
const EACH: Duration = Duration::from_millis(250);

/// How long orphans have to end.
const MOMENT: Duration = Duration::from_secs(1);

/// How often, and how many times, orphans are looked for before the process is left by force.
const LOOK: Duration = Duration::from_millis(5);
const LAST_LOOKS: u32 = 20;

static KNOWN: Mutex<Known> = Mutex::new(Known {
    groups: BTreeSet::new(),
    ended: BTreeSet::new(),
    spawning: 0,
    installed: 0,
});

struct Known {
    /// The groups of each `Process` that runs.
    groups: BTreeSet<u32>,
    /// The groups that have ended since the last look, in which there may be dead.
    ended: BTreeSet<u32>,
    /// How many children are being spawned, whose groups are not known yet.
    spawning: usize,
    /// How many subreapers live.
    installed: usize,
}

/// While it lives, processes whose parents have ended become children of this process, if they descend from
/// it. They end with it: TERM, and KILL after a second. Zombies among them are reaped, if they are of a
/// [`Process`](crate::Process), or have been seen alive with the mark of one in their environment.
///
/// Without it they become children of the init process, and nobody of this program knows of them.
///
/// # Examples
///
/// ```
/// use startstop_core::Runner;
/// use startstop_process::{Process, Subreaper};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let reaper = Subreaper::install()?;
/// let daemon = Process::new("sh").args(["-c", "setsid sleep 1000 & exec sleep 1000"]);
/// let runner = Runner::new(daemon);
/// runner.start().await?;
/// runner.stop().await?;
/// assert!(runner.errors_list().is_empty());
/// drop(reaper); // ends the one that has left the group
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Subreaper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    ended: Mutex<bool>,
    woken: Condvar,
    orphans: Mutex<BTreeMap<u32, OwnedFd>>,
}

impl Subreaper {
    /// Makes this process the parent of its orphaned descendants.
    ///
    /// # Examples
    ///
    /// See [`Subreaper`].
    ///
    /// # Errors
    ///
    /// The system refuses, or no thread can be spawned.
    pub fn install() -> io::Result<Self> {
        set_child_subreaper(Some(getpid()))?;
        known().installed += 1;
        // From here on the drop of this value undoes everything.
        let mut this = Self {
            shared: Arc::default(),
            thread: None,
        };
        let looking = this.shared.clone();
        let thread = thread::Builder::new().name("startstop-reaper".into());
        this.thread = Some(thread.spawn(move || looking.look_until_the_end())?);
        Ok(this)
    }
}

impl Shared {
    fn look_until_the_end(&self) {
        let mut ended = lock(&self.ended);
        while !*ended {
            self.look();
            ended = self
                .woken
                .wait_timeout(ended, EACH)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Reaps what is dead and notes who is new.
    fn look(&self) {
        let (groups, ended) = {
            let known = known();
            (known.groups.clone(), known.ended.clone())
        };
        let mut orphans = lock(&self.orphans);
        orphans.retain(|_, pidfd| !take(WaitId::PidFd(pidfd.as_fd())));
        // Most of them are leaders, of which nothing has to be read.
        let children = proc_fs::children().into_iter();
        let others = children.filter(|pid| !groups.contains(pid));
        for stat in others.filter_map(Stat::of) {
            if stat.is_alive() {
                if !orphans.contains_key(&stat.pid) {
                    orphans.extend(orphan(stat).map(|pidfd| (stat.pid, pidfd)));
                }
            } else if is_member(stat, &groups) || is_member(stat, &ended) {
                take_pid(stat.pid);
            }
        }
        known().ended.retain(|group| !ended.contains(group));
    }

    fn signal(&self, signal: Signal) {
        let Some(signal) = signal.raw() else {
            return;
        };
        for pidfd in lock(&self.orphans).values() {
            let _ = pidfd_send_signal(pidfd, signal);
        }
    }
}

impl Drop for Subreaper {
    fn drop(&mut self) {
        let is_last = {
            let mut known = known();
            known.installed -= 1;
            known.installed == 0
        };
        *lock(&self.shared.ended) = true;
        self.shared.woken.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of that thread could not be handled here.
            let _ = thread.join();
        }
        if !is_last {
            return;
        }
        let (shared, begin) = (&self.shared, Instant::now());
        let (mut told, mut killed) = (BTreeSet::new(), false);
        loop {
            shared.look();
            let left: BTreeSet<u32> = lock(&shared.orphans).keys().copied().collect();
            if left.is_empty() || begin.elapsed() > MOMENT * 2 {
                break;
            }
            // The end of an orphan may leave more orphans, so look again.
            if !left.is_subset(&told) {
                told.extend(left);
                shared.signal(Signal::TERM);
                shared.signal(Signal::CONT);
            }
            if killed || begin.elapsed() > MOMENT {
                killed = true;
                shared.signal(Signal::KILL);
            }
            thread::sleep(Duration::from_millis(5));
        }
        // The earlier setting is not known; nothing else in this crate sets it.
        let _ = set_child_subreaper(None);
    }
}

/// Returns the mark for a child, while a subreaper lives.
pub(crate) fn mark() -> Option<String> {
    (known().installed > 0).then(|| getpid().as_raw_nonzero().to_string())
}

pub(crate) fn group_began(group: u32) {
    static TOLD: Once = Once::new();
    known().groups.insert(group);
    TOLD.call_once(|| startstop_core::__on_leave(kill_all));
}

/// Returns whether a process leads a group of ours. Nobody else has its id: it has not been reaped.
pub(crate) fn leads(pid: u32) -> bool {
    known().groups.contains(&pid)
}

/// A child is being spawned. It bears the mark before its group is known, and would be taken for an orphan.
pub(crate) struct Spawning(());

impl Spawning {
    pub(crate) fn begin() -> Self {
        known().spawning += 1;
        Self(())
    }
}

impl Drop for Spawning {
    fn drop(&mut self) {
        known().spawning -= 1;
    }
}

/// Returns a descriptor of a child if it is an orphan. As long as this is locked no spawn begins.
fn orphan(stat: Stat) -> Option<OwnedFd> {
    let known = known();
    if known.spawning > 0 || !is_orphan(stat, &known.groups) {
        return None;
    }
    opened(stat.pid, &known.groups)
}

/// Kills what destructors would end: the process is left without them.
fn kill_all() {
    // As long as this is locked no leader is reaped, so no group is another's.
    let known = known();
    for group in &known.groups {
        crate::group::kill(*group);
    }
    if known.installed > 0 {
        // Who has just been killed leaves orphans a moment later.
        for _ in 0..LAST_LOOKS {
            kill_orphans(&known.groups);
            thread::sleep(LOOK);
        }
    }
}

fn kill_orphans(groups: &BTreeSet<u32>) {
    let children = proc_fs::children().into_iter();
    let others = children.filter(|pid| !groups.contains(pid));
    let orphans = others
        .filter_map(Stat::of)
        .filter(|stat| stat.is_alive() && is_orphan(*stat, groups));
    for pidfd in orphans.filter_map(|stat| opened(stat.pid, groups)) {
        let _ = Signal::KILL
            .raw()
            .map(|kill| pidfd_send_signal(&pidfd, kill));
    }
}

/// Before the leader is reaped. The dead of its group, if they are ours, are reaped by the next look: as long as there are any, the
/// group keeps its id.
pub(crate) fn group_ends(group: u32) {
    let mut known = known();
    known.groups.remove(&group);
    if known.installed > 0 {
        known.ended.insert(group);
    }
}

fn is_member(stat: Stat, groups: &BTreeSet<u32>) -> bool {
    stat.pid != stat.group && groups.contains(&stat.group)
}

fn is_orphan(stat: Stat, groups: &BTreeSet<u32>) -> bool {
    is_member(stat, groups) || is_marked(stat, groups)
}

/// Returns a descriptor of an orphan. The id may have become another's before it was opened, so it is looked at anew.
fn opened(pid: u32, groups: &BTreeSet<u32>) -> Option<OwnedFd> {
    let us = getpid().as_raw_nonzero().get().unsigned_abs();
    let pidfd = open(pid)?;
    let stat = Stat::of(pid).filter(|stat| stat.parent == us && is_orphan(*stat, groups));
    stat.map(|_| pidfd)
}

/// A leader has the mark too, and is no orphan.
fn is_marked(stat: Stat, groups: &BTreeSet<u32>) -> bool {
    if groups.contains(&stat.pid) {
        return false;
    }
    let mark = format!("{MARK}={}", getpid().as_raw_nonzero());
    let vars = fs::read(format!("/proc/{}/environ", stat.pid)).unwrap_or_default();
    vars.split(|byte| *byte == 0)
        .any(|var| var == mark.as_bytes())
}

fn open(pid: u32) -> Option<OwnedFd> {
    pidfd_open(pid_of(pid)?, PidfdFlags::NONBLOCK).ok()
}

fn pid_of(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

fn take_pid(pid: u32) {
    if let Some(pid) = pid_of(pid) {
        take(WaitId::Pid(pid));
    }
}

/// Looks, and takes what is dead. Whether it is gone.
fn take(id: WaitId<'_>) -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    match waitid(id.clone(), look | WaitIdOptions::NOWAIT) {
        Ok(None) => false,
        Ok(Some(_)) => waitid(id, look).is_ok(),
        Err(_) => true,
    }
}

fn known() -> MutexGuard<'static, Known> {
    lock(&KNOWN)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{EACH, MARK, Spawning, Subreaper, mark, thread};

    #[test]
    fn a_child_whose_group_is_not_known_yet_is_no_orphan() {
        let reaper = Subreaper::install().unwrap();
        let spawning = Spawning::begin();
        let mut child = Command::new("sleep");
        let mut child = child
            .arg("1000")
            .env(MARK, mark().unwrap())
            .spawn()
            .unwrap();
        // It is looked at some times.
        thread::sleep(EACH * 3);
        child.kill().unwrap();
        thread::sleep(EACH * 3);
        assert!(child.wait().is_ok(), "somebody has taken it");
        drop(spawning);
        drop(reaper);
    }
}
