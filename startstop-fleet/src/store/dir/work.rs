//! The work on the files of one name, on a thread that may block.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::entry::Entry;
use super::paths;
use crate::record::{Record, Version};
use crate::store::claim::whole;
use crate::store::{Claim, StoreError};

#[derive(Debug)]
pub(super) struct Work {
    folder: PathBuf,
    name: String,
}

/// The greatest fence that a database takes.
const MOST: u64 = i64::MAX as u64;

/// The outcome of an attempt to work under the lock.
pub(super) enum Attempt<T> {
    Done(T),
    /// Somebody else has it.
    Locked,
}

impl Work {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Says in words why nothing can be written here.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.folder.as_os_str().is_empty() {
            return Err(StoreError::refused("the folder of the leases has no name"));
        }
        let refused = |error: io::Error| {
            let folder = self.folder.display();
            StoreError::refused(format!("no lease can be written in {folder}: {error}"))
        };
        self.lock_file().map(drop).map_err(refused)?;
        // Others try at the same time: in this process, or in a container whose processes have the same numbers.
        let probe = self
            .folder
            .join(format!(".probe-{:016x}", fastrand::u64(..)));
        File::create(&probe)
            .and_then(|mut file| file.write_all(b"-"))
            .map_err(refused)?;
        fs::remove_file(&probe).map_err(refused)
    }

    pub(super) fn read(&self) -> Result<Record, StoreError> {
        let Some(entry) = self.entry()? else {
            return Ok(Record::free(Version::absent()));
        };
        if entry.lease.is_none() || self.lives(entry.fence).map_err(StoreError::unavailable)? {
            return Ok(entry.record());
        }
        // The lease may have been released since, and its file of life deleted with it.
        match self.entry()? {
            Some(again) if again.fence == entry.fence => Ok(Record::free(again.version())),
            Some(again) => Ok(again.record()),
            None => Ok(Record::free(Version::absent())),
        }
    }

    pub(super) fn locked<T>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, StoreError>,
    ) -> Result<Attempt<T>, StoreError> {
        let lock = self.lock_file().map_err(StoreError::unavailable)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => work(self).map(Attempt::Done),
            Err(Errno::WOULDBLOCK) => Ok(Attempt::Locked),
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    /// Takes the lease, and returns the lock for life with it, if it has one of its own.
    pub(super) fn take(
        &self,
        claim: &Claim,
        expected: &Version,
    ) -> Result<(Record, Option<File>), StoreError> {
        let old = self.compare(expected)?;
        let holder = claim.holder().to_owned();
        let millis = |lease| whole(lease, Duration::from_millis(1));
        let lease = claim
            .lease()
            .map(|lease| Duration::from_millis(millis(lease)));
        let fence = self.next_fence(old.as_ref())?;
        let life = lease.map(|_| self.begin_life(fence)).transpose();
        let life = life.map_err(StoreError::unavailable)?;
        let entry = Entry {
            holder,
            fence,
            renewals: 0,
            lease,
        };
        self.write(&entry)?;
        if let Some(old) = old {
            self.end_life(old.fence);
        }
        Ok((entry.record(), life))
    }

    pub(super) fn renew(&self, held: &Record) -> Result<Record, StoreError> {
        let mut entry = self.compare(held.version())?.ok_or(StoreError::Conflict)?;
        // One that was written by hand may be anything; it has to be another one.
        entry.renewals = entry.renewals.wrapping_add(1);
        self.write(&entry)?;
        Ok(entry.record())
    }

    pub(super) fn release(&self, held: &Record) -> Result<Record, StoreError> {
        let entry = self.compare(held.version())?.ok_or(StoreError::Conflict)?;
        fs::remove_file(paths::lease(&self.folder, &self.name)).map_err(StoreError::unavailable)?;
        self.end_life(entry.fence);
        Ok(Record::free(Version::absent()))
    }

    fn compare(&self, expected: &Version) -> Result<Option<Entry>, StoreError> {
        let entry = self.entry()?;
        let version = entry.as_ref().map_or_else(Version::absent, Entry::version);
        if version == *expected {
            Ok(entry)
        } else {
            Err(StoreError::Conflict)
        }
    }

    fn entry(&self) -> Result<Option<Entry>, StoreError> {
        let path = paths::lease(&self.folder, &self.name);
        let other = || StoreError::refused(format!("{} is no lease", path.display()));
        match fs::read_to_string(&path) {
            Ok(text) => Entry::parse(&text).map(Some).ok_or_else(other),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(other()),
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    fn write(&self, entry: &Entry) -> Result<(), StoreError> {
        let path = paths::lease(&self.folder, &self.name);
        replace(&path, &entry.to_text(), |_| Ok(())).map_err(StoreError::unavailable)
    }

    /// Returns the next fence, which is on the disk before it is used.
    fn next_fence(&self, old: Option<&Entry>) -> Result<u64, StoreError> {
        let path = paths::fence(&self.folder, &self.name);
        let last = match fs::read_to_string(&path) {
            Ok(text) => text
                .trim()
                .parse()
                .map_err(|_| StoreError::refused(format!("{} is no counter", path.display())))?,
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(StoreError::unavailable(error)),
        };
        let last = old.map_or(last, |old| old.fence.max(last));
        let next = last.checked_add(1).filter(|next| *next <= MOST);
        let next = next.ok_or_else(|| {
            let name = &self.name;
            StoreError::refused(format!("the fence of {name:?} is at its end: {last}"))
        })?;
        let written = replace(&path, &format!("{next}\n"), File::sync_all);
        written
            .and_then(|()| File::open(&self.folder)?.sync_all())
            .map_err(StoreError::unavailable)?;
        Ok(next)
    }

    fn lock_file(&self) -> io::Result<File> {
        fs::create_dir_all(&self.folder)?;
        let path = paths::lock(&self.folder, &self.name);
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
    }

    fn begin_life(&self, fence: u64) -> io::Result<File> {
        let life = File::create(paths::life(&self.folder, &self.name, fence))?;
        flock(&life, FlockOperation::NonBlockingLockExclusive)?;
        Ok(life)
    }

    /// Its file is only in the way now; one that stays hinders nobody.
    fn end_life(&self, fence: u64) {
        let _ = fs::remove_file(paths::life(&self.folder, &self.name, fence));
    }

    /// Tells whether the holder of the term lives.
    fn lives(&self, fence: u64) -> io::Result<bool> {
        let life = match File::open(paths::life(&self.folder, &self.name, fence)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            life => life?,
        };
        match flock(&life, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(false),
            Err(Errno::WOULDBLOCK) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

/// Replaces a file as a whole.
fn replace(
    path: &Path,
    text: &str,
    finish: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    finish(&file)?;
    fs::rename(&new, path)
}
