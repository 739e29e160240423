//! The limits of a child.
//!
//! A `sh` sets them that replaces itself with the program, as the user of the child. More than the hard limit of this process
//! takes the rights of this process: then the `sh` stops itself first, and goes on when its hard limits are raised.

use std::fmt::Write;
use std::io;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::group::ProcessGroup;
use crate::signal::Signal;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) files: Option<u64>,
    /// In kilobytes.
    pub(super) memory: Option<u64>,
}

/// One limit, as the system and as `ulimit` know it.
struct Limit {
    resource: Resource,
    flag: &'static str,
    what: &'static str,
    most: u64,
    unit: u64,
}

/// Limits that are above the hard ones of this process.
pub(super) struct Raise(Vec<Limit>);

/// A hard limit that cannot be raised.
pub(super) struct NotRaised {
    pub(super) why: String,
    pub(super) source: io::Error,
}

impl Limits {
    fn all(self) -> impl Iterator<Item = Limit> {
        let files = self.files.map(|most| Limit {
            resource: Resource::Nofile,
            flag: "-n",
            what: "files",
            most,
            unit: 1,
        });
        let memory = self.memory.map(|most| Limit {
            resource: Resource::As,
            flag: "-v",
            what: "memory",
            most,
            unit: 1024,
        });
        files.into_iter().chain(memory)
    }

    /// Returns those that are above the hard ones, which another thread may change at any time.
    pub(super) fn raise(self) -> Raise {
        Raise(self.all().filter(Limit::is_above).collect())
    }

    /// Returns the commands of `sh` that set them.
    pub(super) fn script(self, raise: &Raise) -> String {
        let mut script = String::new();
        if !raise.0.is_empty() {
            script += "kill -STOP $$ && ";
        }
        for Limit { flag, most, .. } in self.all() {
            // Writing to a string does not fail.
            let _ = write!(script, "ulimit {flag} {most} && ");
        }
        script
    }
}

impl Limit {
    fn size(&self) -> u64 {
        self.most.saturating_mul(self.unit)
    }

    fn is_above(&self) -> bool {
        let hard = getrlimit(self.resource).maximum;
        hard.is_some_and(|hard| self.size() > hard)
    }

    fn not_raised(&self, source: io::Error) -> NotRaised {
        NotRaised {
            why: format!(
                "its limit of {} cannot be raised to {}",
                self.what,
                self.size()
            ),
            source,
        }
    }

    fn raise(&self, child: Pid) -> io::Result<()> {
        // The child has begun with the limits of this process.
        let raised = Rlimit {
            maximum: Some(self.size()),
            ..getrlimit(self.resource)
        };
        prlimit(Some(child), self.resource, raised)?;
        Ok(())
    }
}

impl Raise {
    /// Raises the hard limits of a `sh` that stops itself, and lets it go on.
    pub(super) fn of(&self, group: &ProcessGroup) -> Result<(), NotRaised> {
        let Some(first) = self.0.first() else {
            return Ok(());
        };
        if group.stopped().map_err(|source| first.not_raised(source))? {
            for limit in &self.0 {
                let raised = limit.raise(group.pid());
                raised.map_err(|source| limit.not_raised(source))?;
            }
        }
        group.signal_leader(Signal::CONT);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::{Limit, Limits, ProcessGroup, Raise, Resource, Signal, getrlimit};
    use crate::group::Ending;

    /// A limit that this process has already, so that to raise it takes no rights.
    fn same() -> Limit {
        let limits = Limits {
            files: getrlimit(Resource::Nofile).maximum,
            memory: None,
        };
        limits.all().next().expect("there is a limit")
    }

    fn begun(script: &str) -> ProcessGroup {
        let mut sh = Command::new("sh");
        sh.args(["-c", script]).stdout(Stdio::null());
        ProcessGroup::of(&mut sh.spawn().unwrap()).unwrap()
    }

    async fn ended(group: ProcessGroup) -> Ending {
        let ending = group.ended().await.unwrap();
        group.reap();
        ending
    }

    #[tokio::test]
    async fn a_child_waits_until_its_limits_are_raised_and_goes_on() {
        let (limits, raise) = (Limits::default(), Raise(vec![same()]));
        let group = begun(&format!("{}exit 7", limits.script(&raise)));
        assert!(raise.of(&group).is_ok());
        assert_eq!(ended(group).await, Ending::Exited(7));
    }

    #[tokio::test]
    async fn one_that_ends_or_goes_on_before_is_not_waited_for() {
        let raise = Raise(vec![same()]);
        let group = begun("exit 7");
        assert!(raise.of(&group).is_ok());
        assert_eq!(ended(group).await, Ending::Exited(7));
        let group = begun("kill -STOP $$; exec sleep 1000");
        assert!(group.stopped().unwrap());
        group.signal_leader(Signal::CONT);
        assert!(raise.of(&group).is_ok());
    }

    #[test]
    fn only_what_is_above_a_hard_limit_is_raised() {
        let hard = getrlimit(Resource::Nofile).maximum.unwrap();
        for (files, is_above) in [(hard, false), (hard + 1, true)] {
            let limits = Limits {
                files: Some(files),
                memory: Some(1),
            };
            let script = limits.script(&limits.raise());
            assert_eq!(script.starts_with("kill -STOP"), is_above, "{script}");
            let sets = format!("ulimit -n {files} && ulimit -v 1 && ");
            assert!(script.ends_with(&sets), "{script}");
        }
    }
}
