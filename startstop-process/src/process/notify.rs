//! The socket on which a child says that it is ready, as `sd_notify` does.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::UnixDatagram;

use super::message::Notice;

/// The limit of systemd.
const LONGEST: usize = 4096;

/// How many messages are read at the end: somebody may go on sending.
const MOST: usize = 1024;

/// A socket in a folder that only the user of the child can enter; both are gone with it.
#[derive(Debug)]
pub(super) struct NotifySocket {
    socket: UnixDatagram,
    folder: Folder,
}

impl NotifySocket {
    /// Binds a socket for a child of this user.
    pub(super) fn bind(uid: Option<u32>) -> io::Result<Self> {
        let places = [std::env::temp_dir(), "/run".into(), "/dev/shm".into()];
        let first = Self::bind_in(&places[0], uid);
        // Other folders, because a container may have no other one to write to, and a path may be too long for a
        // socket.
        let others = || {
            places[1..]
                .iter()
                .find_map(|place| Self::bind_in(place, uid).ok())
        };
        first.or_else(|error| others().ok_or(error))
    }

    fn bind_in(place: &Path, uid: Option<u32>) -> io::Result<Self> {
        let folder = Folder::create(place)?;
        let path = folder.0.join("notify");
        let socket = UnixDatagram::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        if uid.is_some() {
            chown(&path, uid, None)?;
            chown(&folder.0, uid, None)?;
        }
        Ok(Self { socket, folder })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.0.join("notify")
    }

    /// Waits for the next message.
    pub(super) async fn next(&self) -> io::Result<Vec<Notice>> {
        let mut buffer = [0; LONGEST];
        let n = self.socket.recv(&mut buffer).await?;
        Ok(read(&buffer[..n]))
    }

    /// Returns what has been sent and not been read, and closes the socket: who sends later has an error, and does not
    /// wait.
    pub(super) fn rest(self) -> Vec<Notice> {
        let (mut buffer, mut notices) = ([0; LONGEST], Vec::new());
        let Ok(socket) = self.socket.into_std() else {
            return notices;
        };
        for _ in 0..MOST {
            let Ok(n) = socket.recv(&mut buffer) else {
                break;
            };
            notices.extend(read(&buffer[..n]));
        }
        notices
    }
}

fn read(message: &[u8]) -> Vec<Notice> {
    Notice::all_of(&String::from_utf8_lossy(message))
}

#[derive(Debug)]
struct Folder(PathBuf);

static NUMBER: AtomicU64 = AtomicU64::new(0);

impl Folder {
    /// One that nobody has made before: a process that was killed leaves its folders, and its id is given
    /// to another one day; in a container it is the same each time.
    fn create(place: &Path) -> io::Result<Self> {
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name = format!("startstop-{}-{number}", std::process::id());
            let folder = place.join(name);
            match DirBuilder::new().mode(0o700).create(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => return result.map(|()| Self(folder)),
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The folder may have been removed already.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Folder, NotifySocket, Path};

    #[tokio::test]
    async fn a_place_without_room_for_a_socket_leaves_no_folder() {
        let long = std::env::temp_dir().join(format!("{}-{}", "x".repeat(100), std::process::id()));
        std::fs::create_dir(&long).unwrap();
        assert!(NotifySocket::bind_in(&long, None).is_err());
        std::fs::remove_dir(&long).unwrap();
        assert!(Folder::create(Path::new("/proc")).is_err());
        assert!(NotifySocket::bind(None).unwrap().path().exists());
    }
}
