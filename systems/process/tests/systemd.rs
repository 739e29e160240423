//! Under systemd, whose `KillMode=control-group` signals the children as well: a stop is a clean stop. And what is left of the
//! children when their supervisor is killed, by `KillMode`.
//!
//! The manager is a `systemd --user` without a bus, in namespaces of its own, with folders of its own in place of `/run` and
//! `/tmp`, so that it leaves the machine as it is. It ends with its namespace.

use std::fs;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::support::Folder;

const STOPS: usize = 10;

/// One at a time: they share the tree of control groups.
static ONE: Mutex<()> = Mutex::new(());

/// Begins the manager, and runs what it is for. The folder of the test is `/run/test`.
const MANAGER: &str = r#"
set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/user/0 /run/test
mount --bind "$1" /run/test
mount -t tmpfs tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
export XDG_RUNTIME_DIR=/run/user/0 XDG_CONFIG_HOME=/run/test
unset NOTIFY_SOCKET INVOCATION_ID DBUS_SESSION_BUS_ADDRESS
for systemd in /usr/lib/systemd/systemd /lib/systemd/systemd; do [ -x $systemd ] && break; done
$systemd --user >/run/test/manager.log 2>&1 </dev/null &
until case "$(systemctl --user is-system-running 2>/dev/null)" in running | degraded) true ;; *) false ;; esac; do
    kill -0 $!
    sleep 0.05
done
cd /run/test
. /run/test/body.sh
"#;

/// Runs a script beside a manager that has the unit `app.service`.
fn beside_systemd(folder: &Folder, app: &str, service: &str, body: &str) {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    fs::copy(env!("CARGO_BIN_EXE_supervisor"), folder.path("supervisor")).unwrap();
    fs::create_dir_all(folder.path("systemd/user")).unwrap();
    folder.write("app.toml", app);
    folder.write("body.sh", body);
    let unit = "[Service]\nType=notify\nWorkingDirectory=/run/test\nExecStart=/run/test/supervisor app.toml\n\
                StandardOutput=append:/run/test/log\nStandardError=append:/run/test/log\n";
    folder.write("systemd/user/app.service", &format!("{unit}{service}\n"));
    let status = Command::new("unshare")
        .args([
            "--mount",
            "--pid",
            "--cgroup",
            "--fork",
            "--kill-child=KILL",
            "--mount-proc",
        ])
        .args(["bash", "-c", MANAGER, "manager", &folder.path("")])
        .status()
        .unwrap();
    let read = |name| fs::read_to_string(folder.path(name)).unwrap_or_default();
    assert!(
        status.success(),
        "{status}\n{}{}",
        read("manager.log"),
        read("log")
    );
}

#[test]
fn a_stop_of_the_whole_control_group_is_a_clean_stop() {
    let folder = Folder::new("systemd");
    // The one that is stopped last ends first, one of them is to be stopped by another signal, and one takes its time.
    let app = "\
        [process.db]\ncommand = 'echo $$ >db; exec sleep 1000'\nstops_all = true\n\
        [process.cache]\ncommand = 'echo $$ >cache; exec sleep 1000'\nstop = { signal = 'INT' }\nstops_all = true\n\
        [process.web]\ncommand = \"trap 'sleep 0.3; exit 0' TERM; echo $$ >web; while :; do sleep 0.01; done\"\n\
        after = ['db', 'cache']\nstops_all = true\n";
    let service = "KillMode=control-group\n\
                   ExecStopPost=/bin/sh -c 'echo $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS >>seen'";
    let body = "
        for n in $(seq 1 STOPS); do
            rm -f db cache web
            systemctl --user start app
            until [ -s db ] && [ -s cache ] && [ -s web ]; do sleep 0.01; done
            [ \"$(systemctl --user show app --property=StatusText --value)\" = ready ]
            systemctl --user stop app
        done
    ";
    beside_systemd(
        &folder,
        app,
        service,
        &body.replace("STOPS", &STOPS.to_string()),
    );
    let seen = fs::read_to_string(folder.path("seen")).unwrap();
    let log = fs::read_to_string(folder.path("log")).unwrap();
    let clean = "success exited 0";
    assert_eq!(
        seen.lines().filter(|line| *line == clean).count(),
        STOPS,
        "{seen}{log}"
    );
    assert!(!log.contains("failed"), "{log}");
}

/// What is left when the supervisor has been killed and its unit has ended.
#[test]
fn the_kill_mode_says_what_becomes_of_the_children_of_a_killed_supervisor() {
    for (mode, expected) in [
        ("control-group", "TERM, gone"),
        ("mixed", "no signal, gone"),
        ("process", "no signal, alive"),
    ] {
        let folder = Folder::new(&format!("kill-mode-{mode}"));
        // Inherited: one that writes to a pipe that nobody reads any more ends by SIGPIPE.
        let app = "[process.db]\nlog = 'inherit'\n\
                   command = \"trap 'echo TERM >heard; exit' TERM; echo $$ >db; while :; do sleep 0.01; done\"\n";
        let body = "
            systemctl --user start app
            until [ -s db ]; do sleep 0.01; done
            kill -KILL \"$(systemctl --user show app --property=MainPID --value)\"
            until [ \"$(systemctl --user is-active app)\" = failed ]; do sleep 0.01; done
            heard=$(cat heard 2>/dev/null) || heard='no signal'
            if kill -0 \"$(cat db)\" 2>/dev/null; then left=alive; else left=gone; fi
            echo \"$heard, $left\" >seen
            kill -KILL \"$(cat db)\" 2>/dev/null || true
        ";
        beside_systemd(&folder, app, &format!("KillMode={mode}"), body);
        assert_eq!(
            fs::read_to_string(folder.path("seen")).unwrap().trim(),
            expected,
            "{mode}"
        );
    }
}
