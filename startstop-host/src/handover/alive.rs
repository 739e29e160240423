//! Tells the predecessor that a successor is awake, from the moment in which it has the listeners on.

use std::convert::Infallible;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use crate::probes::Probes;

/// Says that somebody is awake, or alive.
pub(super) const WAIT: u8 = b'W';

/// How often it is told.
const EACH: Duration = Duration::from_secs(1);

/// A thread that tells it, since a program may do much before it has a runtime. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Alive {
    _end: Sender<Infallible>,
    /// Those of the program, once they are known.
    probes: Arc<OnceLock<Probes>>,
}

impl Alive {
    pub(super) fn tell(mut stream: UnixStream) -> io::Result<Self> {
        let (end, ended) = channel();
        let probes = Arc::<OnceLock<Probes>>::default();
        let known = Arc::clone(&probes);
        let tell = move || {
            while ended.recv_timeout(EACH) == Err(RecvTimeoutError::Timeout) {
                if known.get().is_none_or(|probes| probes.live().ok()) {
                    // A predecessor that has ended misses nothing.
                    drop(stream.write(&[WAIT]));
                }
            }
        };
        thread::Builder::new()
            .name("startstop-handover".into())
            .spawn(tell)?;
        Ok(Self { _end: end, probes })
    }

    /// From now on it is told only while these say that the program is alive.
    pub(super) fn watch(&self, probes: &Probes) {
        drop(self.probes.set(probes.clone()));
    }
}
