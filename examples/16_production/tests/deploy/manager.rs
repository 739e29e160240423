//! A `systemd --user` without a bus, in namespaces of its own, and a shell beside it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::servers::until;

/// Begins the manager, then runs each line of its input, and says with which code it has ended. Nothing of the machine's
/// /run and /tmp is seen, but for the folder of the shop.
const SHELL: &str = r#"
set -u
mkdir -p "$1/manager"
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/user/0 /run/shop
mount --bind "$1" /run/shop
mount -t tmpfs tmpfs /tmp
mkdir -p "$1" && mount --bind /run/shop "$1"
mount -t cgroup2 cgroup2 /sys/fs/cgroup
export XDG_RUNTIME_DIR=/run/user/0 XDG_CONFIG_HOME="$1/manager"
unset NOTIFY_SOCKET INVOCATION_ID DBUS_SESSION_BUS_ADDRESS
for systemd in /usr/lib/systemd/systemd /lib/systemd/systemd; do [ -x $systemd ] && break; done
$systemd --user >"$1/manager/log" 2>&1 </dev/null &
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

/// A manager; it ends with all its units when it is dropped.
pub(super) struct Manager {
    shell: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Manager {
    pub(super) fn new(folder: &Path) -> Self {
        let mut unshare = Command::new("unshare");
        unshare.args([
            "--mount",
            "--pid",
            "--cgroup",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ]);
        unshare.args(["bash", "-c", SHELL, "manager"]).arg(folder);
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
            folder: folder.join("manager"),
        };
        assert_eq!(manager.answer().0, 0, "it has begun");
        manager
    }

    pub(super) fn unit(&mut self, text: &str) {
        let units = self.folder.join("systemd/user");
        fs::create_dir_all(&units).unwrap();
        fs::write(units.join("shop.service"), text).unwrap();
        self.run("systemctl --user daemon-reload");
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
        let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert_eq!(code, 0, "{line}: {told}\n{}", log());
    }

    /// A property of the unit.
    pub(super) fn show(&mut self, property: &str) -> String {
        let line = format!("systemctl --user show shop --property={property} --value");
        self.ask(&line).1.trim_end().to_owned()
    }

    pub(super) async fn until(&mut self, property: &str, holds: impl Fn(&str) -> bool) {
        until(property, async || holds(&self.show(property))).await;
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // What is left of the units ends with the namespace.
        self.shell.kill().ok();
        self.shell.wait().ok();
    }
}
