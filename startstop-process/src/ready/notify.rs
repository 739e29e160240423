//! The socket on which a child says that it is ready, as `sd_notify` does.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::net::UnixDatagram;

/// A socket in a folder that nobody else can list; both are gone with it.
#[derive(Debug)]
pub(crate) struct NotifySocket {
    socket: UnixDatagram,
    folder: PathBuf,
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

impl NotifySocket {
    pub(crate) fn bind() -> io::Result<Self> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = format!("startstop-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        // Another user of the child has to reach the socket.
        fs::DirBuilder::new().mode(0o711).create(&folder)?;
        let path = folder.join("notify");
        let socket = UnixDatagram::bind(&path).inspect_err(|_| drop(fs::remove_dir(&folder)))?;
        let this = Self { socket, folder };
        fs::set_permissions(&path, Permissions::from_mode(0o666))?;
        Ok(this)
    }

    pub(crate) fn path(&self) -> PathBuf {
        Path::new(&self.folder).join("notify")
    }

    /// Waits for the next message.
    pub(crate) async fn next(&self) -> io::Result<String> {
        let mut buffer = [0; 4096];
        let n = self.socket.recv(&mut buffer).await?;
        Ok(String::from_utf8_lossy(&buffer[..n]).into_owned())
    }
}

impl Drop for NotifySocket {
    fn drop(&mut self) {
        // Who has removed it already has done no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
