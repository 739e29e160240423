//! The variables that child processes must not inherit.

use std::process::Command;

/// The variables that a service manager sets for this process alone.
const NOTIFY: [&str; 4] = [
    "NOTIFY_SOCKET",
    "STARTSTOP_NOTIFY_FD",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
];

/// The process that has left the sockets of a service manager to its child: pid 1, see `run_as_init`.
#[cfg(unix)]
#[cfg_attr(not(all(feature = "init", feature = "sockets")), allow(dead_code))]
pub(crate) const LISTEN_PPID: &str = "STARTSTOP_LISTEN_PPID";

/// Keeps a child process from speaking to our service manager in our name.
///
/// # Examples
///
/// ```
/// use std::process::Command;
///
/// let mut child = Command::new("true");
/// startstop_host::without_notify(&mut child);
/// for variable in ["NOTIFY_SOCKET", "STARTSTOP_NOTIFY_FD"] {
///     assert!(child.get_envs().any(|(name, value)| name == variable && value.is_none()));
/// }
/// ```
pub fn without_notify(command: &mut Command) -> &mut Command {
    for name in NOTIFY {
        command.env_remove(name);
    }
    command
}
