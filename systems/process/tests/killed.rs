//! What a SIGKILL of the supervisor leaves alive, and what the next one says of it.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::free_port::free_port;
use crate::support::{Folder, is_alive, kill, pid_of, until};

fn supervise(config: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_supervisor"))
        .arg(config)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn the_children_stay_and_the_next_start_says_who_has_their_port() {
    let folder = Folder::new("killed");
    let (port, pid) = (free_port(), folder.path("pid"));
    let config = folder.write(
        "app.toml",
        &format!(
            "[process.redis]\ncommand = ['redis-server', '--save', '', '--port', '{port}', '--pidfile', '{pid}', '--daemonize', 'no']\n\
             ready = {{ tcp = '127.0.0.1:{port}' }}\nrestart = 'never'\nstops_all = true\n"
        ),
    );
    let mut first = supervise(&config);
    let redis = until(|| pid_of(&pid));
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(is_alive(&redis), "it ended with its supervisor");

    let second = supervise(&config).wait_with_output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(
        said.contains(&format!(
            "127.0.0.1:{port} is held by redis-server (pid {redis})"
        )),
        "{said}"
    );
    kill("-KILL", &redis);
}

#[test]
fn a_child_that_writes_to_a_pipe_that_nobody_reads_any_more_ends_and_one_that_has_inherited_goes_on()
 {
    let folder = Folder::new("writes");
    let entry = |name: &str, log: &str| {
        let pid = folder.path(name);
        format!(
            "[process.{name}]\ncommand = 'echo $$ >{pid}; while :; do echo x; sleep 0.01; done'\nlog = '{log}'\n"
        )
    };
    let text = entry("piped", "terminal") + &entry("inherits", "inherit");
    let config = folder.write("app.toml", &text);
    let null = fs::File::create("/dev/null").unwrap();
    let mut supervisor = Command::new(env!("CARGO_BIN_EXE_supervisor"));
    let mut supervisor = supervisor
        .arg(config)
        .stdout(null)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (piped, inherits) = (folder.read("piped"), folder.read("inherits"));
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    until(|| (!is_alive(&piped)).then_some(()));
    assert!(is_alive(&inherits));
    kill("-KILL", &inherits);
}
