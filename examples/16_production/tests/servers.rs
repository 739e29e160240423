//! PostgreSQL and Redis as child processes, in a folder of their own.

use crate::free_port::free_port;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Far more than anything here takes.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);
/// PostgreSQL refuses to be run by root.
const USER: &str = "postgres";

/// A folder that is deleted with it.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("startstop-shop-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// A server that is killed with it, and keeps its port.
pub(crate) struct Server {
    command: Command,
    child: Child,
}

impl Server {
    fn start(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap();
        Self { command, child }
    }

    /// Without any goodbye.
    pub(crate) fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    pub(crate) fn start_again(&mut self) {
        self.child = self.command.spawn().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Both servers.
pub(crate) struct Servers {
    pub(crate) postgres: Server,
    pub(crate) redis: Server,
    pub(crate) database: String,
    pub(crate) cache: String,
    _folder: Folder,
}

impl Servers {
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let (postgres, redis) = (free_port(), free_port());
        let cache = format!("redis://127.0.0.1:{redis}");
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--port",
            &redis.to_string(),
        ]);
        let redis = Server::start(command);
        let database = format!("postgres://{USER}@127.0.0.1:{postgres}/postgres");
        let postgres = start_postgres(folder.path(), postgres);
        Self {
            postgres,
            redis,
            database,
            cache,
            _folder: folder,
        }
    }
}

fn start_postgres(folder: &Path, port: u16) -> Server {
    let id = |kind| {
        let output = Command::new("id").args([kind, USER]).output().unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .trim()
            .parse::<u32>()
            .unwrap()
    };
    chown(folder, Some(id("-u")), Some(id("-g"))).unwrap();
    let data = folder.join("data");
    let made = by_user("initdb")
        .args(["--no-sync", "--auth", "trust", "--pgdata"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let mut command = by_user("postgres");
    command
        .arg("-D")
        .arg(data)
        .args(["-p", &port.to_string(), "-c", "fsync=off", "-k", ""]);
    Server::start(command)
}

/// A program of PostgreSQL. It ends with this process, in which it would leave others behind.
fn by_user(program: &str) -> Command {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL of Debian")
        .flatten();
    let newest = versions
        .map(|version| version.path().join("bin"))
        .max()
        .expect("a version");
    let mut command = Command::new("setpriv");
    command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--"]);
    command.arg(newest.join(program));
    command
}

/// Waits until something holds, which nobody tells.
#[track_caller]
pub(crate) fn until<F>(what: &str, mut holds: F) -> impl Future<Output = ()>
where
    F: AsyncFnMut() -> bool,
{
    let what = what.to_owned();
    async move {
        let late = Instant::now() + LIMIT;
        while !holds().await {
            assert!(Instant::now() < late, "not within {LIMIT:?}: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
