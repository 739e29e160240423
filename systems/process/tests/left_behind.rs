//! A child that this process may not kill.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::support::{Folder, is_alive, kill};

/// A supervisor of another user, whose child has become root.
#[test]
fn what_not_even_a_kill_ends_is_told_with_its_id() {
    let folder = Folder::new("left-behind");
    let become_root = folder.path("setpriv");
    fs::copy("/usr/bin/setpriv", &become_root).unwrap();
    fs::set_permissions(&become_root, Permissions::from_mode(0o4755)).unwrap();
    let program = folder.path("supervisor");
    fs::copy(env!("CARGO_BIN_EXE_supervisor"), &program).unwrap();
    let pid = folder.path("pid");
    fs::write(&pid, "").unwrap();
    let config = folder.write(
        "app.toml",
        &format!(
            "[process.root]\nstop = {{ timeout = '5s' }}\ncommand = ['{become_root}', '--reuid=0', 'sh', '-c', \
             'echo $$ >{pid}; exec sleep 1000']\n"
        ),
    );
    let supervisor = Command::new("setpriv")
        .args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            &program,
            &config,
        ])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let child = folder.read("pid");
    kill("-TERM", &supervisor.id().to_string());
    let output = supervisor.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains(&format!("left behind, alive after SIGKILL: [{child}]")),
        "{said}"
    );
    assert!(is_alive(&child));
    kill("-KILL", &child);
}
