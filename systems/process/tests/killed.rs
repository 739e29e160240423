//! What a SIGKILL of the supervisor leaves alive, and what the next one says of it.

use std::process::{Child, Command, Stdio};

use crate::support::{Folder, free_port, is_alive, kill, pid_of, until};

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
        said.contains(&format!("127.0.0.1:{port} is held by redis-server (pid {redis})")),
        "{said}"
    );
    kill("-KILL", &redis);
}
