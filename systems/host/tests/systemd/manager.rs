//! A `systemd --user` without a bus, in namespaces of its own, and a shell beside it. Of the system's /run and /tmp it sees
//! nothing but the folder of the test; a newer one has a system of its own as its root.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::{Folder, SHOP, until};

/// One at a time: they share the tree of control groups.
static ONE: Mutex<()> = Mutex::new(());

/// Begins the manager, then runs each line of its input, and says with which code it has ended.
const SHELL: &str = r#"
set -u
mkdir -p /run/systemd/system /run/user/0
export XDG_RUNTIME_DIR=/run/user/0 XDG_CONFIG_HOME="$1"
unset NOTIFY_SOCKET INVOCATION_ID DBUS_SESSION_BUS_ADDRESS
for systemd in /usr/lib/systemd/systemd /lib/systemd/systemd; do [ -x $systemd ] && break; done
$systemd --user >"$1/log" 2>&1 </dev/null &
until systemctl --user is-system-running >/dev/null 2>&1; do
    case "$(systemctl --user is-system-running 2>/dev/null)" in degraded) break ;; esac
    sleep 0.1
done
echo ': 0'
while read -r line; do
    eval "$line" 2>&1 </dev/null
    echo ": $?"
done
"#;

/// Hides what is the system's, for a manager of the same system.
const HERE: &str = r#"
set -eu
mount -t tmpfs tmpfs /run
mkdir /run/test
mount --bind "$1" /run/test
mount -t tmpfs tmpfs /tmp
mkdir -p "$1"
mount --bind /run/test "$1"
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec bash -c "$2" manager "$1"
"#;

/// Goes into another system, with nothing of this one but the folder of the test and the shop.
const THERE: &str = r#"
set -eu
for at in run tmp mnt sys; do mount -t tmpfs tmpfs "$3/$at"; done
mkdir -p "$3$1" "$3/sys/fs/cgroup"
mount --bind "$1" "$3$1"
mount -t cgroup2 cgroup2 "$3/sys/fs/cgroup"
mount -t proc proc "$3/proc"
touch "$3/mnt/shop"
mount --bind "$4" "$3/mnt/shop"
exec chroot "$3" /bin/bash -c "$2" manager "$1"
"#;

/// A manager; it ends with all its units when it is dropped.
pub(super) struct Manager {
    shell: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    folder: Folder,
    /// Where it finds the shop.
    shop: &'static str,
    _one: MutexGuard<'static, ()>,
}

impl Manager {
    /// That of the system.
    pub(super) fn new() -> Self {
        Self::begin(HERE, SHOP, &[])
    }

    /// That of Debian 13, systemd 257, in the root that `.ci/run host` makes.
    pub(super) fn of_debian_13() -> Self {
        let root =
            std::env::var("DEBIAN_13").expect("a root of Debian 13, as `.ci/run host` makes it");
        Self::begin(THERE, "/mnt/shop", &[&root, SHOP])
    }

    fn begin(enter: &str, shop: &'static str, more: &[&str]) -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = Folder::new();
        let mut unshare = Command::new("unshare");
        unshare.args([
            "--mount",
            "--pid",
            "--cgroup",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ]);
        unshare
            .args(["bash", "-c", enter, "enter"])
            .arg(folder.path())
            .arg(SHELL)
            .args(more);
        let mut shell = unshare
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = shell.stdin.take().unwrap();
        let stdout = BufReader::new(shell.stdout.take().unwrap());
        let mut manager = Self {
            shell,
            stdin,
            stdout,
            folder,
            shop,
            _one: one,
        };
        assert_eq!(manager.answer().0, 0, "it has begun");
        manager
    }

    /// Writes the unit of the shop, with more lines for its section `[Service]`.
    pub(super) fn unit(&mut self, lines: &str) {
        self.unit_of(self.shop, lines);
    }

    /// Likewise, with another command.
    pub(super) fn unit_of(&mut self, command: &str, lines: &str) {
        let shop = self.path("");
        std::fs::create_dir_all(&shop).unwrap();
        let unit = format!(
            "[Service]\nType=notify\nExecStart={command}\nEnvironment=SHOP={}\n{lines}\n",
            shop.display()
        );
        self.write("shop.service", &unit);
    }

    /// Writes a unit file.
    pub(super) fn write(&mut self, name: &str, text: &str) {
        self.folder.write(&format!("systemd/user/{name}"), text);
        self.run("systemctl --user daemon-reload");
    }

    /// A file of the shop.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("shop").join(name)
    }

    pub(super) fn touch(&self, name: &str) {
        self.folder.write(&format!("shop/{name}"), "");
    }

    pub(super) fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    /// The exit code of a command, and what it has printed.
    fn ask(&mut self, line: &str) -> (i32, String) {
        writeln!(self.stdin, "{line}").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> (i32, String) {
        let mut text = String::new();
        loop {
            let mut line = String::new();
            assert!(
                self.stdout.read_line(&mut line).unwrap() > 0,
                "the shell has ended: {text}"
            );
            match line.strip_prefix(": ") {
                Some(code) => return (code.trim().parse().unwrap(), text),
                None => text += &line,
            }
        }
    }

    /// Runs what has to succeed.
    #[track_caller]
    pub(super) fn run(&mut self, line: &str) {
        let (code, told) = self.ask(line);
        let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        assert_eq!(code, 0, "{line}: {told}\n{}", log());
    }

    /// What a command prints, which has to succeed.
    #[track_caller]
    pub(super) fn output(&mut self, line: &str) -> String {
        let (code, told) = self.ask(line);
        assert_eq!(code, 0, "{line}: {told}");
        told.trim_end().to_owned()
    }

    pub(super) fn code(&mut self, line: &str) -> i32 {
        self.ask(line).0
    }

    /// A property of the unit.
    pub(super) fn show(&mut self, property: &str) -> String {
        let line = format!("systemctl --user show shop --property={property} --value");
        self.ask(&line).1.trim_end().to_owned()
    }

    #[track_caller]
    pub(super) fn until(&mut self, property: &str, value: &str) {
        until(&format!("{property} is {value}"), || {
            self.show(property) == value
        });
    }

    #[track_caller]
    pub(super) fn until_status(&mut self, status: &str) {
        self.until("StatusText", status);
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // The units get a moment to end; whatever is left ends with the namespace.
        drop(writeln!(
            self.stdin,
            "systemctl --user kill --signal=KILL shop"
        ));
        drop(self.shell.kill());
        drop(self.shell.wait());
    }
}
