//! The socket at its path: for its owner alone, there at once, and in place of what was there.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::net::SocketAddrUnix;
use tokio::net::UnixListener;

/// A socket at a path. It goes when it is dropped, unless a successor has taken its place.
pub(super) struct Place {
    pub(super) listener: UnixListener,
    path: PathBuf,
    file: (u64, u64),
}

/// Fails if the path is taken by something other than a socket, which is not ours to replace, if it is longer than the system
/// allows a socket to be, the path included at which it is made, or if there is no directory for it.
pub(super) fn check(path: &Path) -> io::Result<()> {
    for path in [path, &made_at(&workshop(path))] {
        SocketAddrUnix::new(path).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            io::Error::new(ErrorKind::InvalidInput, message)
        })?;
    }
    let parent = parent(path);
    if !parent.is_dir() {
        let message = format!(
            "{}: there is no directory {}",
            path.display(),
            parent.display()
        );
        return Err(io::Error::new(ErrorKind::NotFound, message));
    }
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            let message = format!("{} is no socket", path.display());
            Err(io::Error::new(ErrorKind::AlreadyExists, message))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Place {
    /// It is made in a directory that nobody else can enter, since its permissions are set only after it is there.
    pub(super) fn take(path: &Path) -> io::Result<Self> {
        check(path)?;
        let dir = workshop(path);
        let made = DirBuilder::new().mode(0o700).create(&dir);
        made.or_else(|error| if is_own(&dir) { Ok(()) } else { Err(error) })?;
        let place = Self::make(&made_at(&dir), path);
        // It is still there only if it could not be moved.
        drop(fs::remove_file(made_at(&dir)));
        drop(fs::remove_dir(&dir));
        place
    }

    /// Returns whether it is still this one that is found at the path.
    pub(super) fn is_there(&self) -> bool {
        identity(&self.path).is_ok_and(|file| file == self.file)
    }

    fn make(at: &Path, path: &Path) -> io::Result<Self> {
        drop(fs::remove_file(at));
        let listener = UnixListener::bind(at)?;
        fs::set_permissions(at, Permissions::from_mode(0o600))?;
        let file = identity(at)?;
        fs::rename(at, path)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            file,
        })
    }
}

/// Returns the directory beside the path that the socket is made in.
fn workshop(path: &Path) -> PathBuf {
    parent(path).join(format!(".{}", std::process::id()))
}

fn parent(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

fn made_at(workshop: &Path) -> PathBuf {
    workshop.join("s")
}

/// Returns whether a directory is left of a process of ours that had our number.
fn is_own(dir: &Path) -> bool {
    let user = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(dir).is_ok_and(|found| {
        found.is_dir() && found.uid() == user && found.mode() & 0o777 | 0o700 == 0o700
    })
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_there() {
            drop(fs::remove_file(&self.path));
        }
    }
}
