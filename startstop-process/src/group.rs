//! A process group, from the spawn of its leader to the moment when nobody of it is alive.
//!
//! 1. The leader is reaped when nobody is signalled any more, so neither its id nor the group's can be somebody else's when they
//!    are.
//! 2. A group that is dropped is killed.
//! 3. All descriptors that it needs are opened at the spawn: for want of them later nothing fails, and what cannot be seen then
//!    is not taken for gone.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{
    Pid, PidfdFlags, WaitId, WaitIdOptions, WaitIdStatus, kill_process, kill_process_group,
    pidfd_open, pidfd_send_signal, test_kill_process_group, waitid,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::look;
use crate::niceness::Spawner;
use crate::proc_fs;
use crate::signal::Signal;
use crate::subreaper;

#[cfg(test)]
mod tests;

/// How long the destructor waits for those whom it has killed, before a thread does.
const DESTRUCTOR: Duration = Duration::from_secs(1);

/// How its leader has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Exited(i32),
    Signalled { signal: Signal, core_dumped: bool },
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Signalled { signal, .. } => write!(f, "was ended by {signal}"),
        }
    }
}

#[derive(Debug)]
pub(crate) struct ProcessGroup {
    leader: Pid,
    /// The descriptor of the leader.
    pidfd: Arc<OwnedFd>,
    /// Nobody waits for the end in a destructor or its thread.
    watched: Option<AsyncFd<Arc<OwnedFd>>>,
    /// The thread that has spawned the leader, if it is one of its own.
    spawner: Option<Spawner>,
    reaped: bool,
}

impl ProcessGroup {
    /// Takes over a child that leads, or will lead, a group and that nobody else waits for. If that cannot be
    /// done, for want of descriptors say, the child is ended.
    pub(crate) fn of(child: &mut Child) -> io::Result<Self> {
        let mut group = Self::open(child.id()).inspect_err(|_| {
            // The child has not been reaped, so its id has not been given to another process.
            let _ = child.kill();
            let _ = child.wait();
        })?;
        // From here on the drop of the group ends the child, also where there is no I/O and this panics.
        group.watched = Some(watch(group.pidfd.clone())?);
        Ok(group)
    }

    /// Keeps the thread that has spawned the leader until nobody is alive.
    pub(crate) fn spawned_by(mut self, spawner: Option<Spawner>) -> Self {
        self.spawner = spawner;
        self
    }

    fn open(pid: u32) -> io::Result<Self> {
        let leader = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let leader = leader.ok_or_else(|| io::Error::other("not the id of a process"))?;
        let pidfd = Arc::new(pidfd_open(leader, PidfdFlags::NONBLOCK)?);
        subreaper::group_began(pid);
        Ok(Self {
            leader,
            pidfd,
            watched: None,
            spawner: None,
            reaped: false,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.leader.as_raw_nonzero().get().unsigned_abs()
    }

    pub(crate) const fn pid(&self) -> Pid {
        self.leader
    }

    /// Waits, blocking, until the leader has stopped itself. Whether it has: it may have ended, or go on already.
    pub(crate) fn stopped(&self) -> io::Result<bool> {
        // By its id, since a wait for this descriptor does not block. It is not reaped.
        let events = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::CONTINUED;
        let look = || waitid(WaitId::Pid(self.leader), events | WaitIdOptions::NOWAIT);
        let status = retry_on_intr(look)?;
        Ok(status.is_some_and(|status| status.stopped()))
    }

    pub(crate) fn signal_leader(&self, signal: Signal) {
        if let Some(signal) = signal.raw() {
            // Errors are ignored: the leader may be a zombie.
            let _ = pidfd_send_signal(&self.pidfd, signal);
        }
    }

    pub(crate) fn signal_all(&self, signal: Signal) {
        let Some(raw) = signal.raw().filter(|_| !self.reaped) else {
            return;
        };
        // Fails while a child that is to lead a session does not lead its group yet. The leader may also be in another one by now.
        if kill_process_group(self.leader, raw).is_err() || !self.has(self.id()) {
            self.signal_leader(signal);
        }
    }

    /// Returns the processes that are alive, the leader too.
    ///
    /// # Errors
    ///
    /// They cannot be seen, for want of descriptors say.
    pub(crate) async fn alive(&self) -> io::Result<Vec<u32>> {
        let mut alive = look::members(self.id()).await?;
        if self.ending()?.is_none() {
            alive.insert(0, self.id());
        }
        Ok(alive)
    }

    /// Returns whether it is seen that nobody is alive.
    pub(crate) async fn is_empty(&self) -> bool {
        self.alive().await.is_ok_and(|alive| alive.is_empty())
    }

    /// Returns whether it is seen that a process is of this group.
    pub(crate) fn has(&self, pid: u32) -> bool {
        proc_fs::group_of(pid) == Some(self.id())
    }

    /// Returns how the leader has ended, if it has.
    pub(crate) fn ending(&self) -> io::Result<Option<Ending>> {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::PidFd(self.pidfd.as_fd()), look)?.map(|status| ending_of(&status)))
    }

    /// Waits until the leader has ended. It is not reaped.
    pub(crate) async fn ended(&self) -> io::Result<Ending> {
        let watched = self.watched.as_ref();
        let watched = watched.ok_or_else(|| io::Error::other("nobody waits for it any more"))?;
        loop {
            let mut guard = watched.readable().await?;
            if let Some(ending) = self.ending()? {
                return Ok(ending);
            }
            guard.clear_ready();
        }
    }

    /// Reaps the leader, which has ended.
    pub(crate) fn reap(mut self) {
        self.take_leader();
    }

    /// Gives up what was killed and has not ended: nobody waits for it here.
    pub(crate) fn abandon(mut self) {
        self.reap_in_a_thread();
    }

    /// Only what this process may not kill, or the kernel holds up, is left. Somebody has to reap the leader one
    /// day.
    fn reap_in_a_thread(&mut self) {
        let mut rest = Self {
            leader: self.leader,
            pidfd: self.pidfd.clone(),
            watched: None,
            spawner: None,
            reaped: false,
        };
        let wait = move || {
            rest.wait_blocking(Duration::from_secs(3600));
            rest.reaped = true;
        };
        self.reaped = thread::Builder::new()
            .name("startstop-reaper".into())
            .spawn(wait)
            .is_ok();
    }

    fn take_leader(&mut self) {
        let take = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        subreaper::group_ends(self.id());
        // An error means that there is nothing to reap.
        let taken = waitid(WaitId::PidFd(self.pidfd.as_fd()), take);
        self.reaped = !matches!(taken, Ok(None));
    }

    /// Waits, blocking, until everyone has ended and the leader is reaped, at most so long. All have been killed, and nobody is
    /// signalled any more: the leader is reaped first, for then the system tells whether there is anybody else, and most groups need
    /// not be looked for.
    fn wait_blocking(&mut self, limit: Duration) {
        let end = Instant::now() + limit;
        let pause = (limit / 500).clamp(Duration::from_millis(1), Duration::from_secs(1));
        let slice = Timespec::try_from(pause).ok();
        while !self.reaped && Instant::now() < end {
            let mut leader = [PollFd::new(&self.pidfd, PollFlags::IN)];
            let _ = poll(&mut leader, slice.as_ref());
            if leader[0].revents().is_empty() {
                continue;
            }
            self.take_leader();
            if !self.reaped {
                // It is dead and traced by another process, which has to see that first.
                thread::sleep(pause);
            }
        }
        while Instant::now() < end && self.has_left_somebody() {
            thread::sleep(pause);
        }
    }

    /// Returns whether somebody is alive, now that the leader is reaped. Zombies, and one who has been given the id since, are there
    /// for the system too.
    fn has_left_somebody(&self) -> bool {
        self.reaped
            && test_kill_process_group(self.leader) != Err(Errno::SRCH)
            && !look::members_now(self.id()).is_ok_and(|alive| alive.is_empty())
    }
}

/// Returns what waits until a process has ended; `None` if it has.
pub(crate) fn watch_other(pid: u32) -> io::Result<Option<AsyncFd<Arc<OwnedFd>>>> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    match pid.map(|pid| pidfd_open(pid, PidfdFlags::NONBLOCK)) {
        Some(Ok(pidfd)) => watch(Arc::new(pidfd)).map(Some),
        Some(Err(Errno::SRCH)) | None => Ok(None),
        Some(Err(error)) => Err(error.into()),
    }
}

/// Kills a group whose leader is not reaped. One that is to lead a session may not lead its group yet.
pub(crate) fn kill(group: u32) {
    let leader = i32::try_from(group).ok().and_then(Pid::from_raw);
    if let (Some(leader), Some(kill)) = (leader, Signal::KILL.raw()) {
        // Nothing can be done about errors.
        let _ = kill_process_group(leader, kill);
        let _ = kill_process(leader, kill);
    }
}

/// The call is deprecated because an `AsRawFd` may close its descriptor behind tokio's back: an `OwnedFd`
/// does not, and the one without that warning is `unsafe`.
#[allow(deprecated)]
fn watch(pidfd: Arc<OwnedFd>) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
    AsyncFd::with_interest(pidfd, Interest::READABLE)
}

fn ending_of(status: &WaitIdStatus) -> Ending {
    match status.terminating_signal().map(Signal::reported) {
        Some(signal) => Ending::Signalled {
            signal,
            core_dumped: status.dumped(),
        },
        None => Ending::Exited(status.exit_status().unwrap_or(-1)),
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if self.reaped {
            return;
        }
        self.signal_all(Signal::KILL);
        self.signal_leader(Signal::KILL);
        self.wait_blocking(DESTRUCTOR);
        if self.reaped {
            return;
        }
        self.reap_in_a_thread();
    }
}
