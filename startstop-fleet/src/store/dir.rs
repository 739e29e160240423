//! `Dir`: leases in a folder of one machine, to begin with.
//!
//! 1. Whoever writes holds the lock of the name; readers need none, for a record is replaced as a whole.
//! 2. A holder keeps a lock on a file of its term for as long as it lives: who can lock that file knows that it does not.
//! 3. The counter of the fences is a file of its own, written through to the disk, and never deleted.

mod entry;
mod paths;
mod work;

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use self::work::{Attempt, Work};
use super::{Claim, LeaseStore, StoreError};
use crate::record::{Record, Version};

/// How often it looks whether a record has changed, or its holder has died.
const LOOK: Duration = Duration::from_millis(50);

/// How long it leaves a lock alone that somebody else has.
const LOCKED: Duration = Duration::from_millis(5);

/// A store in a folder, for the processes of one machine.
///
/// A death shows at once, since the kernel lets go of a dead process' locks; a process that is frozen loses its lease when that is
/// over. A folder on a network file system will not do: its locks do not tell of a death in time.
///
/// The files are text that people can read. Fences go on growing when a `.lease` file is deleted, but not without the
/// `.fence` file.
///
/// # Examples
///
/// ```
/// use startstop_fleet::{Claim, Dir, LeaseStore};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let folder = std::env::temp_dir().join(format!("startstop-dir-{}", std::process::id()));
/// let store = Dir::new(&folder); // made when it is needed
/// let seen = store.read("invoices").await.unwrap();
/// let claim = Claim::new("a", Duration::from_secs(15));
/// let held = store.take("invoices", &claim, seen.version()).await.unwrap();
/// assert_eq!(held.fence(), 1);
///
/// let other = Dir::new(&folder); // of another process
/// assert_eq!(other.read("invoices").await.unwrap().holder(), Some("a"));
/// drop(store); // it dies
/// assert!(other.read("invoices").await.unwrap().is_free());
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Dir {
    folder: Arc<PathBuf>,
    /// The locks for life of what is held by this process, by name.
    lives: Arc<Mutex<HashMap<String, File>>>,
}

impl Dir {
    /// Makes a store of the files in `folder`, which is made when it is first written to.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: Arc::new(folder.into()),
            lives: Arc::default(),
        }
    }

    fn work(&self, name: &str) -> Work {
        Work::new(&self.folder, name)
    }

    /// Does something to the files on a thread that may block.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(StoreError::unavailable)?
    }

    /// Does it under the lock of the name, which is never waited for in a thread: its holder may be frozen.
    async fn run_locked<T: Send + 'static>(
        &self,
        name: &str,
        work: impl Fn(&Work) -> Result<T, StoreError> + Clone + Send + 'static,
    ) -> Result<T, StoreError> {
        loop {
            let (at, work) = (self.work(name), work.clone());
            match self.run(move || at.locked(work)).await? {
                Attempt::Done(done) => return Ok(done),
                Attempt::Locked => tokio::time::sleep(LOCKED).await,
            }
        }
    }

    fn keep(&self, name: &str, life: Option<File>) {
        if let Some(life) = life {
            self.lives().insert(name.to_owned(), life);
        }
    }

    fn lives(&self) -> std::sync::MutexGuard<'_, HashMap<String, File>> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LeaseStore for Dir {
    async fn check(&self, name: &str) -> Result<(), StoreError> {
        paths::check(name)?;
        let at = self.work(name);
        self.run(move || at.check()).await
    }

    async fn read(&self, name: &str) -> Result<Record, StoreError> {
        let at = self.work(name);
        self.run(move || at.read()).await
    }

    async fn take(
        &self,
        name: &str,
        claim: &Claim,
        expected: &Version,
    ) -> Result<Record, StoreError> {
        let (claim, expected, this, key) = (
            claim.clone(),
            expected.clone(),
            self.clone(),
            name.to_owned(),
        );
        self.run_locked(name, move |at| {
            let (record, life) = at.take(&claim, &expected)?;
            this.keep(&key, life);
            Ok(record)
        })
        .await
    }

    async fn renew(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        let held = held.clone();
        self.run_locked(name, move |at| at.renew(&held)).await
    }

    async fn release(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        let (held, this, key) = (held.clone(), self.clone(), name.to_owned());
        self.run_locked(name, move |at| {
            let released = at.release(&held)?;
            this.lives().remove(&key);
            Ok(released)
        })
        .await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Record)>, StoreError> {
        let (folder, prefix) = (self.folder.clone(), prefix.to_owned());
        self.run(move || {
            let names = paths::names(&folder).map_err(StoreError::unavailable)?;
            let names = names.into_iter().filter(|name| name.starts_with(&prefix));
            names
                .map(|name| Work::new(&folder, &name).read().map(|read| (name, read)))
                .collect()
        })
        .await
    }

    async fn changed(&self, name: &str, seen: &Version) -> Result<Option<Record>, StoreError> {
        loop {
            let record = self.read(name).await?;
            if record.version() != seen || (record.is_free() && !seen.is_absent()) {
                return Ok(Some(record));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn notifies(&self) -> bool {
        true
    }
}
