//! A log file that is replaced when it is large or old.
//!
//! 1. All who write to one path share one writer, so that lines do not mix and each rotation is done once.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

/// A file, and when it becomes `FILE.1`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rotation {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    pub(crate) age: Option<Duration>,
    /// How many old ones there are.
    pub(crate) keep: u32,
}

/// Clones write to the same file.
#[derive(Clone)]
pub(super) struct Rotated(Arc<Mutex<Writer>>);

struct Writer {
    rotation: Rotation,
    open: Option<Open>,
}

struct Open {
    file: File,
    inode: u64,
    size: u64,
    since: SystemTime,
}

static WRITERS: Mutex<BTreeMap<PathBuf, Weak<Mutex<Writer>>>> = Mutex::new(BTreeMap::new());

impl Rotated {
    /// Returns the writer of a path. If somebody else writes there already, or has not ended yet, the new sizes hold for both.
    pub(super) fn of(rotation: &Rotation) -> Self {
        let mut writers = lock(&WRITERS);
        writers.retain(|_, writer| writer.strong_count() > 0);
        if let Some(writer) = writers.get(&rotation.path).and_then(Weak::upgrade) {
            lock(&writer).rotation = rotation.clone();
            return Self(writer);
        }
        let writer = Writer {
            rotation: rotation.clone(),
            open: None,
        };
        let writer = Arc::new(Mutex::new(writer));
        writers.insert(rotation.path.clone(), Arc::downgrade(&writer));
        Self(writer)
    }

    /// Writes a line. One that cannot be written goes to stderr, with the reason.
    pub(super) fn write(&self, text: &str) {
        let mut writer = lock(&self.0);
        if let Err(error) = writer.write(text) {
            writer.tell(&format!("{error}: {text}"));
        }
    }
}

impl Writer {
    fn write(&mut self, text: &str) -> io::Result<()> {
        self.look_at_the_path();
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.opened()?,
        };
        // One write, because another process may append to the file too.
        let line = format!("{text}\n");
        if self.is_over(&open, line.len() as u64) {
            open = self.replaced(open)?;
        }
        open.file.write_all(line.as_bytes())?;
        open.size += line.len() as u64;
        self.open = Some(open);
        Ok(())
    }

    /// Begins a new file. Where that cannot be the old one goes on: the lines are worth more than the size.
    fn replaced(&self, old: Open) -> io::Result<Open> {
        let Rotation { path, keep, .. } = &self.rotation;
        if is_a_file(path) {
            match rotate(path, *keep) {
                Ok(()) => return self.opened(),
                Err(error) => self.tell(&format!("it cannot be rotated: {error}")),
            }
        }
        Ok(Open {
            size: 0,
            since: SystemTime::now(),
            ..old
        })
    }

    /// Somebody else may have moved or removed the file, as logrotate does.
    fn look_at_the_path(&mut self) {
        let there = fs::metadata(&self.rotation.path)
            .map(|data| data.ino())
            .ok();
        self.open.take_if(|open| Some(open.inode) != there);
    }

    /// Returns whether so many bytes more are not for this file. One without any takes a line of any length.
    fn is_over(&self, open: &Open, more: u64) -> bool {
        let Rotation { size, age, .. } = self.rotation;
        let is_old = |age| open.since.elapsed().is_ok_and(|elapsed| elapsed >= age);
        open.size > 0 && (open.size + more > size || age.is_some_and(is_old))
    }

    fn opened(&self) -> io::Result<Open> {
        let path = &self.rotation.path;
        let open = || OpenOptions::new().create(true).append(true).open(path);
        let file = match (open(), path.parent()) {
            (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(folder)?;
                open()?
            }
            (opened, _) => opened?,
        };
        let data = file.metadata()?;
        Ok(Open {
            file,
            inode: data.ino(),
            size: data.len(),
            since: born(&data),
        })
    }

    fn tell(&self, what: &str) {
        let path = self.rotation.path.display();
        drop(io::stderr().write_all(format!("{path}: {what}\n").as_bytes()));
    }
}

/// A file that was there before this process keeps its age, where the file system knows it.
fn born(data: &Metadata) -> SystemTime {
    data.created().unwrap_or_else(|_| SystemTime::now())
}

/// Returns whether it may be replaced: a device, a pipe or a link, as `/dev/stdout` is, stays where it is.
fn is_a_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.is_file())
}

fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    let numbered = |n: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{n}"));
        PathBuf::from(name)
    };
    if keep == 0 {
        return fs::remove_file(path);
    }
    let free = (1..keep).find(|n| !numbered(*n).exists()).unwrap_or(keep);
    for n in (1..free).rev() {
        fs::rename(numbered(n), numbered(n + 1))?;
    }
    fs::rename(path, numbered(1))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Path, Rotated, Rotation};
    use std::fs;
    use std::time::Duration;

    fn in_folder(name: &str, size: u64, age: Option<Duration>) -> Rotation {
        let folder = std::env::temp_dir().join(format!("startstop-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Rotation {
            path: folder.join("a.log"),
            size,
            age,
            keep: 1,
        }
    }

    #[test]
    fn an_old_file_is_replaced_and_one_that_somebody_has_moved_is_made_anew() {
        let rotation = in_folder("old", 1 << 20, Some(Duration::ZERO));
        let (log, other) = (Rotated::of(&rotation), Rotated::of(&rotation));
        log.write("first");
        other.write("second");
        let first = format!("{}.1", rotation.path.display());
        assert_eq!(fs::read_to_string(&first).unwrap(), "first\n");
        assert_eq!(fs::read_to_string(&rotation.path).unwrap(), "second\n");
        drop((log, other));
        let log = Rotated::of(&Rotation {
            age: None,
            ..rotation.clone()
        });
        log.write("third");
        fs::remove_file(&rotation.path).unwrap();
        log.write("fourth");
        assert_eq!(fs::read_to_string(&rotation.path).unwrap(), "fourth\n");
        fs::remove_dir_all(rotation.path.parent().unwrap()).unwrap();
    }

    #[test]
    fn no_file_is_larger_than_its_size_but_for_a_line_that_is() {
        let rotation = in_folder("size", 10, None);
        let log = Rotated::of(&rotation);
        let old = format!("{}.1", rotation.path.display());
        let both = |log: &Rotated, line: &str| {
            log.write(line);
            (
                fs::read_to_string(&old).unwrap_or_default(),
                fs::read_to_string(&rotation.path).unwrap(),
            )
        };
        let texts = |old: &str, new: &str| (old.to_owned(), new.to_owned());
        assert_eq!(both(&log, "1234"), texts("", "1234\n"));
        assert_eq!(both(&log, "5678"), texts("", "1234\n5678\n"));
        assert_eq!(both(&log, ""), texts("1234\n5678\n", "\n"));
        assert_eq!(
            both(&log, "a line of its own"),
            texts("\n", "a line of its own\n")
        );
        assert_eq!(both(&log, "x"), texts("a line of its own\n", "x\n"));
        fs::remove_dir_all(rotation.path.parent().unwrap()).unwrap();
    }

    #[test]
    fn the_number_of_old_files_may_be_large_and_sizes_may_change() {
        let rotation = in_folder("keep", 100, None);
        let before = Rotated::of(&rotation);
        before.write("a");
        let log = Rotated::of(&Rotation {
            size: 1,
            keep: u32::MAX,
            ..rotation.clone()
        });
        for line in ["b", "c", "d"] {
            log.write(line);
        }
        let numbered = |n| format!("{}.{n}", rotation.path.display());
        let read = |n| fs::read_to_string(numbered(n)).unwrap();
        assert_eq!([1, 2, 3].map(read), ["c\n", "b\n", "a\n"]);
        // The first number that is free takes the place of the last.
        fs::remove_file(numbered(2)).unwrap();
        log.write("e");
        assert_eq!([1, 2, 3].map(read), ["d\n", "c\n", "a\n"]);
        fs::remove_dir_all(rotation.path.parent().unwrap()).unwrap();
    }

    #[test]
    fn what_is_no_file_is_written_to_and_never_replaced() {
        let rotation = in_folder("device", 10, Some(Duration::ZERO));
        std::os::unix::fs::symlink("/dev/null", &rotation.path).unwrap();
        let log = Rotated::of(&rotation);
        for _ in 0..3 {
            log.write("a line of its own");
        }
        let folder = rotation.path.parent().unwrap();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
        assert_eq!(
            fs::read_link(&rotation.path).unwrap(),
            Path::new("/dev/null")
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_made() {
        let mut rotation = in_folder("folder", 10, None);
        let folder = rotation.path.parent().unwrap().to_owned();
        rotation.path = folder.join("logs/deep/a.log");
        let log = Rotated::of(&rotation);
        log.write("first");
        fs::remove_dir_all(folder.join("logs")).unwrap();
        log.write("second");
        assert_eq!(fs::read_to_string(&rotation.path).unwrap(), "second\n");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_cannot_be_rotated_loses_no_line() {
        let rotation = in_folder("stuck", 1, None);
        // A folder that is not empty blocks the place of the rotated file.
        fs::create_dir_all(format!("{}.1/full", rotation.path.display())).unwrap();
        let log = Rotated::of(&rotation);
        for line in ["a", "b", "c"] {
            log.write(line);
        }
        assert_eq!(fs::read_to_string(&rotation.path).unwrap(), "a\nb\nc\n");
        fs::remove_dir_all(rotation.path.parent().unwrap()).unwrap();
    }
}
