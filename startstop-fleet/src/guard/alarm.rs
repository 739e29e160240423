//! An alarm clock: one thread waits for it, others set it, and none of them waits for another.

use std::io;
use std::time::Duration;

#[cfg(target_os = "linux")]
pub(super) use self::linux::Alarm;
#[cfg(not(target_os = "linux"))]
pub(super) use self::other::Alarm;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::File;
    use std::io::Read;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    use super::{Duration, io};

    /// A timer of the kernel, by the clock of the terms: it also rings at once when the machine wakes too late.
    #[derive(Debug)]
    pub(in super::super) struct Alarm(File);

    impl Alarm {
        pub(in super::super) fn new() -> io::Result<Self> {
            let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC)?;
            Ok(Self(timer.into()))
        }

        /// A moment that has passed rings at once.
        pub(in super::super) fn set(&self, at: Duration) {
            let at = at.max(Duration::from_nanos(1)); // zero would switch it off
            let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
            let value = Timespec {
                tv_sec: seconds,
                tv_nsec: i64::from(at.subsec_nanos()),
            };
            let never = Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            };
            let timer = Itimerspec {
                it_interval: never,
                it_value: value,
            };
            timerfd_settime(&self.0, TimerfdTimerFlags::ABSTIME, &timer)
                .expect("a timer of ours takes any time");
        }

        /// Waits until it rings.
        pub(in super::super) fn wait(&self) {
            let mut rings = [0; 8];
            let _ = (&self.0).read(&mut rings);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::sync::{Condvar, Mutex, PoisonError};

    use super::{Duration, io};
    use crate::clock;

    #[derive(Debug)]
    pub(in super::super) struct Alarm {
        at: Mutex<Duration>,
        set: Condvar,
    }

    impl Alarm {
        pub(in super::super) fn new() -> io::Result<Self> {
            Ok(Self {
                at: Mutex::new(Duration::MAX),
                set: Condvar::new(),
            })
        }

        pub(in super::super) fn set(&self, at: Duration) {
            *self.at.lock().unwrap_or_else(PoisonError::into_inner) = at;
            self.set.notify_all();
        }

        pub(in super::super) fn wait(&self) {
            let mut due = self.at.lock().unwrap_or_else(PoisonError::into_inner);
            while let Some(left) = due.checked_sub(clock::now()).filter(|left| !left.is_zero()) {
                due = self
                    .set
                    .wait_timeout(due, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
        }
    }
}
