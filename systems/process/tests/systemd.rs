//! Under systemd, whose `KillMode=control-group` signals the children as well: a stop is a clean stop.
//!
//! A systemd of the test's own is pid 1 of a pid namespace. It sees the units of the test alone, runs no generators, and
//! takes itself for one in a container, so that it leaves the machine as it is. It is never shut down, but killed with its
//! namespace.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::support::{Folder, until};

const STOPS: usize = 10;

/// Moves itself to a control group of its own, below which systemd makes its own, and begins the namespaces.
const OUTER: &str = "
set -eu
mkdir \"$GROUP\"
echo $$ >\"$GROUP/cgroup.procs\"
exec unshare --pid --fork --kill-child=KILL --mount --uts --ipc --mount-proc sh \"$FOLDER/inner.sh\"
";

const INNER: &str = "
set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
if [ -e /etc/machine-id ]; then mount --bind \"$FOLDER/machine-id\" /etc/machine-id; fi
export container=startstop SYSTEMD_UNIT_PATH=\"$FOLDER/units\" SYSTEMD_GENERATOR_PATH=\"$FOLDER/none\"
export SYSTEMD_ENVIRONMENT_GENERATOR_PATH=\"$FOLDER/none\"
exec /lib/systemd/systemd --system --unit=test.target --log-target=console --log-level=err --show-status=false
";

/// Starts the unit, and stops it when its processes are there.
const DRIVER: &str = "
for n in $(seq 1 STOPS); do
    rm -f \"FOLDER/db\" \"FOLDER/web\"
    systemctl start app.service
    until [ -s \"FOLDER/db\" ] && [ -s \"FOLDER/web\" ]; do sleep 0.01; done
    systemctl stop app.service
done
echo done >\"FOLDER/done\"
";

/// The folder of the control groups that systemd uses, if one can be made in it.
fn control_groups() -> Option<String> {
    let roots = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup"];
    let group = |root: &str| format!("{root}/startstop-{}", std::process::id());
    roots.map(group).into_iter().find(|group| {
        let is_made = fs::create_dir(group).is_ok();
        is_made
            && fs::exists(format!("{group}/cgroup.procs")).unwrap()
            && fs::remove_dir(group).is_ok()
    })
}

fn units(folder: &Folder) {
    fs::create_dir(folder.path("units")).unwrap();
    let unit = "[Unit]\nDefaultDependencies=no\n";
    folder.write("units/test.target", &format!("{unit}Wants=driver.service\n"));
    folder.write(
        "units/driver.service",
        &format!("{unit}[Service]\nType=oneshot\nExecStart=/bin/sh {}\n", folder.path("driver.sh")),
    );
    folder.write(
        "units/app.service",
        &format!(
            "{unit}[Service]\nType=notify\nKillMode=control-group\nStandardOutput=append:{log}\n\
             StandardError=append:{log}\nExecStart={} {}\n\
             ExecStopPost=/bin/sh -c 'echo $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS >>{seen}'\n",
            env!("CARGO_BIN_EXE_supervisor"),
            folder.path("app.toml"),
            log = folder.path("log"),
            seen = folder.path("seen"),
        ),
    );
}

struct Systemd(Child, String);

impl Systemd {
    fn start(folder: &Folder, group: String) -> Self {
        let child = Command::new("sh")
            .args(["-c", OUTER])
            .envs([("FOLDER", folder.path("")), ("GROUP", group.clone())])
            .stdin(Stdio::null())
            .spawn();
        Self(child.unwrap(), group)
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        // The namespace goes with it, and then its control groups can.
        let _ = self.0.kill();
        let _ = self.0.wait();
        until(|| remove(&self.1).is_ok().then_some(()));
    }
}

fn remove(group: &str) -> std::io::Result<()> {
    for entry in fs::read_dir(group)?.flatten() {
        if entry.file_type()?.is_dir() {
            remove(entry.path().to_str().unwrap())?;
        }
    }
    fs::remove_dir(group)
}

#[test]
fn a_stop_of_the_whole_control_group_is_a_clean_stop() {
    let Some(group) = control_groups() else {
        println!("no control group can be made here, so systemd cannot run");
        return;
    };
    let folder = Folder::new("systemd");
    // The one that is stopped last ends first, and the other one takes its time.
    let web = "trap 'sleep 0.3; exit 0' TERM; echo $$ >web; while :; do sleep 0.01; done";
    folder.write(
        "app.toml",
        &format!(
            "[process.db]\ncommand = 'echo $$ >db; exec sleep 1000'\ncwd = '{0}'\nstops_all = true\n\
             [process.web]\ncommand = \"{web}\"\ncwd = '{0}'\nafter = ['db']\nstops_all = true\n",
            folder.path("")
        ),
    );
    units(&folder);
    folder.write("machine-id", "0123456789abcdef0123456789abcdef\n");
    folder.write("inner.sh", INNER);
    let driver = DRIVER.replace("STOPS", &STOPS.to_string()).replace("FOLDER", &folder.path(""));
    folder.write("driver.sh", &driver);
    let systemd = Systemd::start(&folder, group);
    until(|| fs::exists(folder.path("done")).unwrap().then_some(()));
    drop(systemd);
    let seen = fs::read_to_string(folder.path("seen")).unwrap();
    let log = fs::read_to_string(folder.path("log")).unwrap();
    let clean = "success exited 0";
    assert_eq!(seen.lines().filter(|line| *line == clean).count(), STOPS, "{seen}{log}");
    assert!(!log.contains("failed"), "{log}");
}
