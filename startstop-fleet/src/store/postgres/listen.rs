//! What the server tells of changes: one connection that listens, for all leases of a store.
//!
//! 1. A pooler hands notifications to somebody else, so it is listened only on a connection whose server knows what was said when it
//!    was made.
//! 2. A notification has the record in it: who hears it need not ask.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use super::connection::{Connect, Connection};
use super::{signed, unsigned};
use crate::record::{Record, Version};
use crate::store::StoreError;

pub(super) const CHANNEL: &str = "startstop_leases";

/// A setting of the session that means nothing to the server: whether it is there tells who answers.
pub(super) const MARK: &str = "startstop.listener";

/// Whoever reads so many changes too late begins anew.
const CHANGES: usize = 4096;

/// A lease and its record, or nothing once nobody listens any more.
pub(super) type Told = Option<(String, Record)>;

/// The connection that listens, while there is one.
#[derive(Default)]
pub(super) struct Hub {
    can_listen: AtomicBool,
    listener: tokio::sync::Mutex<Option<Arc<Listener>>>,
}

pub(super) struct Listener {
    heard: Arc<Heard>,
    connection: Connection,
    /// Reads for the connection.
    driver: JoinHandle<()>,
}

/// What the connection has told.
pub(super) struct Heard {
    /// By its name, the newest.
    known: Mutex<HashMap<String, Record>>,
    changes: broadcast::Sender<Told>,
    closed: AtomicBool,
}

impl Hub {
    /// Finds out whether this server, or what stands before it, lets us listen.
    pub(super) async fn try_listen(&self, connect: &dyn Connect) {
        let listener = begin(connect).await.ok().flatten();
        self.can_listen.store(listener.is_some(), Ordering::Relaxed);
        *self.listener.lock().await = listener;
    }

    pub(super) fn can_listen(&self) -> bool {
        self.can_listen.load(Ordering::Relaxed)
    }

    /// The connection that listens, made anew if it is gone.
    pub(super) async fn listener(
        &self,
        connect: &dyn Connect,
    ) -> Result<Arc<Listener>, StoreError> {
        let mut place = self.listener.lock().await;
        if let Some(listener) = place.as_ref().filter(|listener| !listener.heard.is_closed()) {
            return Ok(listener.clone());
        }
        *place = begin(connect).await?;
        let polled =
            || StoreError::unavailable("what stands before the server does not let us listen");
        place.clone().ok_or_else(polled)
    }
}

async fn begin(connect: &dyn Connect) -> Result<Option<Arc<Listener>>, StoreError> {
    let mark = format!("{:016x}", fastrand::u64(..));
    let changes = broadcast::Sender::new(CHANGES);
    let heard = Heard { known: Mutex::default(), changes, closed: AtomicBool::new(false) };
    let heard = Arc::new(heard);
    let (connection, driver) = connect.listen(&mark, heard.clone()).await?;
    let listener = Listener { heard, connection, driver };
    let rows =
        listener.connection.query(&format!("select current_setting('{MARK}', true)"), &[]).await?;
    let said: Option<String> = rows.first().and_then(|row| row.try_get(0).ok());
    if said.as_deref() != Some(&*mark) {
        return Ok(None);
    }
    listener.connection.run(&format!("listen {CHANNEL}")).await?;
    Ok(Some(Arc::new(listener)))
}

impl Listener {
    pub(super) fn heard(&self) -> &Heard {
        &self.heard
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Heard {
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Told> {
        self.changes.subscribe()
    }

    pub(super) fn known(&self, name: &str) -> Option<Record> {
        self.lock().get(name).cloned()
    }

    /// Notes what was read since it listens; what was told meanwhile may be newer.
    pub(super) fn note(&self, name: &str, record: &Record) {
        let mut known = self.lock();
        let old = known.get(name).map_or(i64::MIN, |old| signed(old.version()));
        if old < signed(record.version()) {
            known.insert(name.to_owned(), record.clone());
        }
    }

    pub(super) fn tell(&self, payload: &str) {
        if let Some((name, record)) = parse(payload) {
            self.note(&name, &record);
            self.changes.send(Some((name, record))).ok();
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.changes.send(None).ok();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Record>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `VERSION FENCE MILLIS LENGTH NAMEHOLDER`: see the statements that tell.
fn parse(payload: &str) -> Option<(String, Record)> {
    let mut parts = payload.splitn(5, ' ');
    let mut number = || parts.next()?.parse::<i64>().ok();
    let (version, fence, millis, length) = (number()?, number()?, number()?, number()?);
    let rest = parts.next()?;
    let name: String = rest.chars().take(usize::try_from(length).ok()?).collect();
    let holder = &rest[name.len()..];
    let version = Version::from(unsigned(version));
    let lease = (millis >= 0).then(|| Duration::from_millis(unsigned(millis)));
    let record = match holder {
        "" => Record::free(version),
        holder => Record::held(holder, unsigned(fence), version).lasting(lease),
    };
    Some((name, record))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Record, Version, parse};

    #[test]
    fn a_notification_has_the_record_in_it() {
        let held = Record::held("host 1/77", 7, Version::from(9)).lasting(Duration::from_secs(15));
        assert_eq!(parse("9 7 15000 4 ä/b host 1/77"), Some(("ä/b ".to_owned(), held)));
        let free = Record::free(Version::from(10));
        assert_eq!(parse("10 7 -1 3 a/b"), Some(("a/b".to_owned(), free)));
        assert_eq!(parse("something else"), None);
    }
}
