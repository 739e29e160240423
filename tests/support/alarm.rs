//! An alarm in real time, for work that hangs: also where time is paused, or the thread is blocked.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// How long work may take, also on a machine that has much else to do.
pub(super) const PATIENCE: Duration = Duration::from_secs(600);

/// All alarms that are set.
static SET: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

struct Entry {
    due: Instant,
    name: String,
    /// Taken when it rings. It is closed when the alarm is dropped.
    bell: Option<oneshot::Sender<()>>,
    /// Closed when the alarm is dropped.
    life: oneshot::Sender<()>,
}

/// An alarm that is set until it is dropped.
pub(super) struct Alarm {
    rang: oneshot::Receiver<()>,
    _life: oneshot::Receiver<()>,
}

impl Alarm {
    pub(super) fn set() -> Self {
        static RINGER: OnceLock<thread::JoinHandle<()>> = OnceLock::new();
        RINGER.get_or_init(|| thread::spawn(ring));
        let name = thread::current().name().unwrap_or("unnamed").to_owned();
        let ((bell, rang), (life, alive)) = (oneshot::channel(), oneshot::channel());
        let entry = Entry {
            due: Instant::now() + PATIENCE,
            name,
            bell: Some(bell),
            life,
        };
        SET.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(entry);
        Self { rang, _life: alive }
    }

    /// Waits until it rings.
    pub(super) async fn rings(&mut self) {
        let _ = (&mut self.rang).await;
    }
}

/// Looks at all alarms once a second.
fn ring() {
    loop {
        thread::sleep(Duration::from_secs(1));
        let now = Instant::now();
        let mut set = SET.lock().unwrap_or_else(PoisonError::into_inner);
        set.retain(|entry| !entry.life.is_closed());
        for entry in set.iter_mut().filter(|entry| entry.due <= now) {
            if let Some(bell) = entry.bell.take() {
                let _ = bell.send(());
            }
            // The thread that would hear the alarm may itself be what is blocked.
            if entry.due + PATIENCE / 10 <= now {
                eprintln!("{} hangs, and so does its thread", entry.name);
                std::process::abort();
            }
        }
    }
}
