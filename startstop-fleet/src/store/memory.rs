//! `Memory`: leases inside one process, for tests and for programs of one replica.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{broadcast, watch};

use super::{Change, Claim, LeaseStore, StoreError};
use crate::record::{Record, Version};

/// A store in the memory of this process. Clones share it.
///
/// # Examples
///
/// ```
/// use startstop_fleet::{Claim, LeaseStore, Memory, StoreError};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = Memory::new();
/// let seen = store.read("invoices").await.unwrap();
/// let claim = Claim::new("a", Duration::from_secs(15));
/// let held = store.take("invoices", &claim, seen.version()).await.unwrap();
/// assert_eq!(held.holder(), Some("a"));
///
/// let late = store.take("invoices", &claim, seen.version()).await;
/// assert!(matches!(late, Err(StoreError::Conflict)));
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Memory {
    shared: Arc<MemoryShared>,
}

#[derive(Debug)]
struct MemoryShared {
    table: Mutex<Table>,
    /// The writes, for `watch`.
    changes: broadcast::Sender<(String, Record)>,
}

/// The most changes that are kept: a reader that is further behind begins anew.
const CHANGES: usize = 4096;

#[derive(Debug, Default)]
struct Table {
    records: BTreeMap<String, Record>,
    /// A channel for each name that `changed` waits for: the next write of it drops that, which wakes nobody else.
    unwritten: HashMap<String, watch::Sender<()>>,
    /// The last version, and the last fence: of all names, so that both outlive a record that is deleted.
    version: u64,
    fence: u64,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// Creates a store without records.
    #[must_use]
    pub fn new() -> Self {
        let shared = MemoryShared {
            table: Mutex::default(),
            changes: broadcast::Sender::new(CHANGES),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Deletes a record, as somebody does by hand. Fences go on growing.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_fleet::Memory;
    ///
    /// let store = Memory::new();
    /// store.delete("invoices"); // there was none: nothing happens
    /// ```
    pub fn delete(&self, name: &str) {
        let mut table = self.table();
        table.records.remove(name);
        self.tell(&mut table, name);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.shared
            .table
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Under the lock, so that changes are told in their order.
    fn tell(&self, table: &mut Table, name: &str) {
        table.unwritten.remove(name);
        self.shared
            .changes
            .send((name.to_owned(), table.get(name)))
            .ok();
    }

    /// Replaces the record, if it is of version `expected`, by what `make` gives for the next version.
    fn write(
        &self,
        name: &str,
        expected: &Version,
        make: impl FnOnce(&mut Table, Version) -> Record,
    ) -> Result<Record, StoreError> {
        let mut table = self.table();
        if table.get(name).version() != expected {
            return Err(StoreError::Conflict);
        }
        table.version += 1;
        let version = Version::from(table.version);
        let record = make(&mut table, version);
        table.records.insert(name.to_owned(), record.clone());
        self.tell(&mut table, name);
        Ok(record)
    }
}

impl Table {
    fn get(&self, name: &str) -> Record {
        let absent = || Record::free(Version::absent());
        self.records.get(name).cloned().unwrap_or_else(absent)
    }

    /// Returns the record if it is another one than was seen, or what ends when it is written.
    fn if_changed(&mut self, name: &str, seen: &Version) -> Result<Record, watch::Receiver<()>> {
        let record = self.get(name);
        if record.version() != seen {
            return Ok(record);
        }
        let unwritten = self.unwritten.entry(name.to_owned()).or_default();
        Err(unwritten.subscribe())
    }
}

impl LeaseStore for Memory {
    async fn forget(&self, name: &str, seen: &Record) -> Result<(), StoreError> {
        let mut table = self.table();
        let now = table.get(name);
        if now.is_free() && now.version() == seen.version() {
            table.records.remove(name);
            self.tell(&mut table, name);
        }
        Ok(())
    }

    async fn read(&self, name: &str) -> Result<Record, StoreError> {
        Ok(self.table().get(name))
    }

    async fn take(
        &self,
        name: &str,
        claim: &Claim,
        expected: &Version,
    ) -> Result<Record, StoreError> {
        self.write(name, expected, |table, version| {
            table.fence += 1;
            Record::held(claim.holder(), table.fence, version)
                .lasting(claim.lease().unwrap_or_default())
        })
    }

    async fn renew(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        self.write(name, held.version(), |_, version| {
            held.clone().at_version(version)
        })
    }

    async fn release(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        self.write(name, held.version(), |_, version| Record::free(version))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Record)>, StoreError> {
        let table = self.table();
        let from = table.records.range(prefix.to_owned()..);
        let found = from.take_while(|(name, _)| name.starts_with(prefix));
        Ok(found
            .map(|(name, record)| (name.clone(), record.clone()))
            .collect())
    }

    async fn changed(&self, name: &str, seen: &Version) -> Result<Option<Record>, StoreError> {
        loop {
            let mut unwritten = match self.table().if_changed(name, seen) {
                Ok(record) => return Ok(Some(record)),
                Err(unwritten) => unwritten,
            };
            // Nothing is ever sent: its end is the event.
            let _ = unwritten.changed().await;
        }
    }

    async fn watch(&self, prefix: &str, tell: impl Fn(Change) + Send + Sync) -> StoreError {
        let mut changes = self.shared.changes.subscribe();
        tell(Change::Began);
        loop {
            match changes.recv().await {
                Ok((name, record)) if name.starts_with(prefix) => {
                    tell(Change::Record(name, record));
                }
                Ok(_) => {}
                Err(error) => return StoreError::unavailable(error),
            }
        }
    }

    fn notifies(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Wake};

    use super::{Claim, LeaseStore, Memory, Version};

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn a_write_wakes_those_alone_who_wait_for_its_name() {
        let (store, count) = (Memory::new(), Arc::<Wakes>::default());
        let (claim, absent) = (Claim::new("a", std::time::Duration::MAX), Version::absent());
        let waker = count.clone().into();
        let mut cx = Context::from_waker(&waker);
        let mut changed = pin!(store.changed("invoices", &absent));
        assert!(changed.as_mut().poll(&mut cx).is_pending());
        for other in ["invoice", "invoices/", "mails"] {
            store.take(other, &claim, &absent).await.unwrap();
        }
        assert_eq!(count.0.load(Ordering::SeqCst), 0);
        let held = store.take("invoices", &claim, &absent).await.unwrap();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(
            changed.poll(&mut cx).map(Result::ok),
            Poll::Ready(Some(Some(held)))
        );
    }
}
