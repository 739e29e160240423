//! The program `startstop-run`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

use crate::free_port::free_port;
use crate::support::{Folder, is_alive};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_startstop-run"))
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn check_only_reads() {
    let folder = Folder::new("check");
    let (good, bad) = (folder.path("good.toml"), folder.path("bad.toml"));
    fs::write(
        &good,
        format!("[process.a]\ncommand = 'touch {}'\n", folder.path("ran")),
    )
    .unwrap();
    fs::write(&bad, "[process.a]\ncommnd = 'true'\n").unwrap();
    assert_eq!(run(&["--check", &good]).status.code(), Some(0));
    assert!(!fs::exists(folder.path("ran")).unwrap());
    for args in [&["--check", &bad][..], &[&bad]] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains(&format!(
                "{bad}:2:1: unknown key `commnd`; did you mean `command`?\n"
            )),
            "{said}"
        );
    }
    assert_eq!(run(&["/no/such/file"]).status.code(), Some(2));
    assert_eq!(run(&[]).status.code(), Some(2));
    let version = run(&["--version"]);
    assert!(version.status.success());
    assert!(version.stdout.starts_with(b"startstop-run "));
}

#[test]
fn a_procfile_ends_with_the_first_that_ends() {
    let folder = Folder::new("procfile");
    let path = folder.path("Procfile");
    fs::write(
        &path,
        "# two\nweb: sleep 1000\nquick: sleep 0.1; echo port $PORT\n",
    )
    .unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_startstop-run"));
    let output = program.arg(&path).env_remove("PORT").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "quick | port 5100\n"
    );
}

#[test]
fn a_signal_stops_all_and_the_code_is_0() {
    let folder = Folder::new("signal");
    let path = folder.path("app.toml");
    let pid = folder.path("pid");
    fs::write(
        &path,
        format!("[process.a]\ncommand = 'echo $$ >{pid}; exec sleep 1000'\n"),
    )
    .unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_startstop-run"))
        .arg(&path)
        .spawn()
        .unwrap();
    let child = written(&pid);
    // Signal both, as a service manager does.
    Command::new("kill")
        .args([&child, &program.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(0));
    assert!(!is_alive(&child));
}

/// Asks the admin port, once it answers.
fn asked(port: u16, request: &str) -> String {
    loop {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
            std::thread::sleep(std::time::Duration::from_millis(5));
            continue;
        };
        let head = format!("{request}\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        return answer;
    }
}

#[test]
fn startstop_run_answers_on_its_admin_port_is_controlled_there_and_tells_what_happens() {
    let folder = Folder::new("admin");
    let (path, token) = (folder.path("app.toml"), folder.path("token"));
    let port = free_port();
    let text = format!(
        "name = 'desk'\nadmin = '127.0.0.1:{port}'\ncontrol = {{ token_file = '{token}' }}\nlog = 'json'\n\
         [process.a]\ncommand = 'echo $$ >>{}; echo \"on\" >&2; exec sleep 1000'\n",
        folder.path("pids")
    );
    fs::write(&token, "s3cret\n").unwrap();
    fs::write(&path, text).unwrap();
    let program = Command::new(env!("CARGO_BIN_EXE_startstop-run"))
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let first = written(&folder.path("pids"));
    while !asked(port, "GET /readyz HTTP/1.1").starts_with("HTTP/1.1 200") {}
    assert!(asked(port, "POST /control/restart/desk/a HTTP/1.1").starts_with("HTTP/1.1 401"));
    let request = "POST /control/restart/desk/a HTTP/1.1\r\nAuthorization: Bearer s3cret";
    assert!(asked(port, request).starts_with("HTTP/1.1 202"));
    while written(&folder.path("pids")) == first {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    Command::new("kill")
        .arg(program.id().to_string())
        .status()
        .unwrap();
    let output = program.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stdout).unwrap();
    let has = |parts: &[&str]| {
        said.lines()
            .any(|line| parts.iter().all(|part| line.contains(part)))
    };
    assert!(
        has(&[r#""process":"a","stream":"stderr","line":"on""#]),
        "{said}"
    );
    assert!(
        has(&[r#""process":"startstop-run""#, "desk/a", "ready"]),
        "{said}"
    );
}

#[test]
fn a_process_that_fails_is_told_with_its_last_words() {
    let folder = Folder::new("journal");
    let (path, go) = (folder.path("app.toml"), folder.path("go"));
    let text = format!(
        "[process.a]\ncommand = 'echo no luck >&2; exit 3'\nrestart = 'never'\n\
         [process.b]\ncommand = ['no-such-program']\nrestart = 'never'\n\
         [process.c]\ncommand = 'until [ -e {go} ]; do sleep 0.01; done'\nstops_all = true\n\
         [process.d]\nrestart = 'never'\nenv = {{ LARGE = 'TEXT' }}\ncommand = ['true']\n"
    );
    // The system takes no text that is so long.
    fs::write(&path, text.replace("TEXT", &"x".repeat(200_000))).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_startstop-run"))
        .arg(&path)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(program.stderr.take().unwrap());
    let mut said = String::new();
    for part in [
        "startstop-run | ",
        "exited with code 3: no luck",
        "`no-such-program` is not there",
        "/d failed in run: `true` could not be run: Argument list too long",
    ] {
        while !said.contains(part) {
            assert!(told.read_line(&mut said).unwrap() > 0, "{said}");
        }
    }
    fs::write(go, "").unwrap();
    told.read_to_string(&mut said).unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(0), "{said}");
}

/// A service manager signals the whole control group at once: the one that is to be stopped last ends first.
#[test]
fn children_that_hear_the_signal_of_the_program_before_their_turn_have_not_failed() {
    let folder = Folder::new("together");
    let path = folder.path("app.toml");
    let script = "trap 'sleep 1; exit 0' TERM; echo $$ >web; while :; do sleep 0.01; done";
    let text = format!(
        "[process.db]\ncommand = 'echo $$ >db; exec sleep 1000'\ncwd = '{0}'\nstops_all = true\n\
         [process.web]\ncommand = \"{script}\"\ncwd = '{0}'\nafter = ['db']\nstops_all = true\n",
        folder.0.display()
    );
    fs::write(&path, text).unwrap();
    let program = Command::new(env!("CARGO_BIN_EXE_startstop-run"))
        .arg(&path)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pids = ["db", "web"].map(|name| written(&folder.path(name)));
    Command::new("kill")
        .args(&pids)
        .arg(program.id().to_string())
        .status()
        .unwrap();
    let output = program.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("failed"), "{said}");
    assert!(pids.iter().all(|pid| !is_alive(pid)));
}

/// Its manager says TERM to all of them, and this child is to be stopped by INT.
#[test]
fn a_child_that_ends_by_the_signal_of_the_manager_instead_of_its_own_has_not_failed() {
    let folder = Folder::new("instead");
    let (path, script) = (folder.path("app.toml"), folder.path("instead.py"));
    let (ready, heard) = (folder.path("ready"), folder.path("heard"));
    let text = format!(
        "import os, signal, time\n\
         def ends(*_):\n    print('INT', file=open('{heard}', 'w'), flush=True); os.kill(os.getpid(), signal.SIGTERM)\n\
         signal.signal(signal.SIGINT, ends)\nprint('up', file=open('{ready}', 'w'), flush=True)\n\
         while True:\n    time.sleep(1)\n"
    );
    fs::write(&script, text).unwrap();
    let entry =
        format!("[process.a]\ncommand = ['python3', '{script}']\nstop = {{ signal = 'INT' }}\n");
    fs::write(&path, entry).unwrap();
    let program = Command::new(env!("CARGO_BIN_EXE_startstop-run"))
        .arg(&path)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    written(&ready);
    Command::new("kill")
        .arg(program.id().to_string())
        .status()
        .unwrap();
    let output = program.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(written(&heard), "INT");
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("failed"), "{said}");
}

/// Waits until a child has written, and returns it.
fn written(path: &str) -> String {
    loop {
        match fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => std::thread::sleep(std::time::Duration::from_millis(5)),
        }
    }
}

/// As in a shell's background, or under nohup.
#[test]
fn children_hear_their_stop_and_reload_signals_although_the_program_ignores_them() {
    let folder = Folder::new("ignored");
    let (path, set) = (folder.path("app.toml"), folder.path("set"));
    let text = format!(
        "[process.a]\ncommand = 'grep SigIgn /proc/self/status >{set}; exec sleep 1000'\n\
         stop = {{ signal = 'INT' }}\nreload = 'HUP'\n"
    );
    fs::write(&path, text).unwrap();
    let deaf = "trap '' INT HUP USR1; exec \"$@\"";
    let mut program = Command::new("sh")
        .args(["-c", deaf, "sh", env!("CARGO_BIN_EXE_startstop-run"), &path])
        .spawn()
        .unwrap();
    let ignored = written(&set);
    Command::new("kill")
        .arg(program.id().to_string())
        .status()
        .unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(0));
    let set = u64::from_str_radix(ignored.trim_start_matches("SigIgn:").trim(), 16).unwrap();
    let is_ignored = |signal: u64| set & (1 << (signal - 1)) != 0;
    assert_eq!(
        [1, 2, 10].map(is_ignored),
        [false, false, true],
        "{ignored}"
    );
}

#[test]
fn it_is_seen_how_a_child_ends_although_the_program_was_begun_with_chld_ignored() {
    let folder = Folder::new("chld");
    let path = folder.path("app.toml");
    let text = "[process.a]\ncommand = 'exit 3'\nstops_all = true\nrestart = 'never'\n\
                [process.b]\ncommand = 'exec sleep 1000'\n";
    fs::write(&path, text).unwrap();
    let mut program = Command::new("env");
    program.arg("--ignore-signal=CHLD");
    let program = program.args([env!("CARGO_BIN_EXE_startstop-run"), &path]);
    let output = program.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("a failed in run: exited with code 3"),
        "{told}"
    );
    assert!(told.contains("b stopped: stopped"), "{told}");
}

/// As in a container whose files are read only.
#[test]
fn a_child_says_that_it_is_ready_although_there_is_no_folder_for_what_is_temporary() {
    let folder = Folder::new("no-temporary");
    let path = folder.path("app.toml");
    let says = "import os, socket; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET']); \
                print(os.path.dirname(os.path.dirname(os.environ['NOTIFY_SOCKET'])))";
    let text = format!(
        "[process.a]\ncommand = ['python3', '-c', \"{says}; import time; time.sleep(0.2)\"]\n\
         ready = {{ notify = true }}\nstops_all = true\nrestart = 'never'\n"
    );
    fs::write(&path, text).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_startstop-run"));
    let output = program
        .arg(&path)
        .env("TMPDIR", "/no/such/folder")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said == "a | /run\n" || said == "a | /dev/shm\n", "{said}");
}
