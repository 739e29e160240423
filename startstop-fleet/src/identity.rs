//! The identity of a leader: the machine and the process, for people, and a random number, so that no two are ever the same.

use std::process;
use std::sync::Arc;

pub(crate) fn identity() -> Arc<str> {
    let random = fastrand::u64(..);
    format!("{}/{}/{random:016x}", host(), process::id()).into()
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("HOSTNAME")
        .or_else(|_| std::env::var("COMPUTERNAME"))
        .unwrap_or_else(|_| "host".to_owned())
}
