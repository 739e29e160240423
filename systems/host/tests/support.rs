//! Folders, ports, programs and HTTP for the tests.

pub(crate) mod clients;

use crate::free_port::free_port;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) const SHOP: &str = env!("CARGO_BIN_EXE_shop");
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A folder that is gone after the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("systems-host-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A program that does not outlive its test.
pub(crate) struct Program(pub(crate) Child);

impl Program {
    pub(crate) fn run(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }

    /// Stops it by SIGTERM, and returns its code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.terminate();
        self.0.wait().unwrap().code()
    }

    fn terminate(&self) {
        drop(Command::new("kill").arg(self.0.id().to_string()).status());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        self.terminate();
        let late = Instant::now() + Duration::from_secs(5);
        while Instant::now() < late && matches!(self.0.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The shop with its admin port.
pub(crate) struct Shop {
    pub(crate) url: String,
    // It ends before its folder does.
    _program: Program,
    pub(crate) folder: Folder,
}

impl Shop {
    pub(crate) fn open() -> Self {
        Self::open_with(&[])
    }

    /// Likewise, with more variables.
    pub(crate) fn open_with(variables: &[(&str, &str)]) -> Self {
        let (folder, port) = (Folder::new(), free_port());
        let mut command = Command::new(SHOP);
        command
            .env("SHOP", folder.path())
            .env("SHOP_ADMIN", port.to_string())
            .envs(variables.iter().copied());
        let program = Program::run(command.env_remove("NOTIFY_SOCKET"));
        let url = format!("http://127.0.0.1:{port}");
        until("the shop is ready", || {
            curl(&[&format!("{url}/readyz")]) == "ok"
        });
        Self {
            url,
            _program: program,
            folder,
        }
    }

    /// Asks for something of a part.
    pub(crate) fn control(&self, what: &str) {
        let url = format!("{}/control/{what}", self.url);
        let answer = curl(&["-X", "POST", "-H", "Authorization: Bearer s3cret", &url]);
        assert_eq!(answer, "asked for\n");
    }
}

/// The body of an answer; empty if there is none.
pub(crate) fn curl(arguments: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["--silent", "--max-time", "20"])
        .args(arguments)
        .output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

/// Waits until something holds, which nobody tells.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let late = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < late, "not within {LIMIT:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
