//! The program in the foreground of a terminal.

use std::fs;
use std::process::Command;

use crate::support::Folder;

/// The program is the foreground job of a terminal of its own, on which Ctrl-C is pressed.
const TERMINAL: &str = "
import os, pty, sys, time
program, path, folder, *names = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(program, [program, path])
for name in names:
    while not os.path.exists(folder + '/' + name):
        time.sleep(0.01)
os.write(terminal, b'\\x03')
while True:
    try:
        said = os.read(terminal, 4096)
        if not said:
            break
        os.write(1, said)
    except OSError:
        break
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

/// Counts what it hears, and takes its time, so that a second signal would come.
const COUNTS: &str = "
import signal, sys, time
heard = []
for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(s, lambda s, _: heard.append(signal.Signals(s).name))
open(sys.argv[1], 'w').close()
while not heard:
    time.sleep(0.01)
time.sleep(0.5)
open(sys.argv[1], 'w').write(' '.join(heard))
";

/// Presses Ctrl-C when the files are there; what the program has shown and its exit code.
fn ctrl_c(folder: &Folder, path: &str, files: &[&str]) -> (String, Option<i32>) {
    let program = env!("CARGO_BIN_EXE_startstop-run");
    let folder = folder.0.to_str().unwrap();
    let mut python = Command::new("python3");
    let arguments = ["-c", TERMINAL, program, path, folder];
    let output = python
        .args(arguments)
        .args(files)
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        output.status.code(),
    )
}

#[test]
fn ctrl_c_at_a_terminal_reaches_each_child_once() {
    let folder = Folder::new("terminal");
    let (path, script) = (folder.path("app.toml"), folder.path("counts.py"));
    fs::write(&script, COUNTS).unwrap();
    let entry = |name: &str| {
        let file = folder.path(name);
        format!("[process.{name}]\ncommand = ['python3', '{script}', '{file}']\n")
    };
    fs::write(&path, entry("a") + &entry("b")).unwrap();
    assert_eq!(ctrl_c(&folder, &path, &["a", "b"]).1, Some(0));
    for name in ["a", "b"] {
        assert_eq!(fs::read_to_string(folder.path(name)).unwrap(), "SIGTERM");
    }
}

/// It is stopped by the system, for it is in the background, until it is told to end.
#[test]
fn a_child_that_wants_the_terminal_holds_nothing_up() {
    let folder = Folder::new("wants-terminal");
    let (path, pid, stopped) = (
        folder.path("app.toml"),
        folder.path("pid"),
        folder.path("stopped"),
    );
    let looks = format!(
        "until [ -s {pid} ] && grep -q '^State:.T' /proc/$(cat {pid})/status; do sleep 0.01; done; \
         touch {stopped}; exec sleep 1000"
    );
    let text = format!(
        "[process.wants]\ncommand = 'echo $$ >{pid}; read line </dev/tty; exec sleep 1000'\n\
         [process.looks]\ncommand = \"{looks}\"\n"
    );
    fs::write(&path, text).unwrap();
    assert_eq!(ctrl_c(&folder, &path, &["stopped"]).1, Some(0));
}

#[test]
fn each_name_stands_before_its_lines_in_a_colour_of_its_own() {
    let folder = Folder::new("colours");
    let (path, db, web) = (
        folder.path("app.toml"),
        folder.path("db"),
        folder.path("web"),
    );
    let text = format!(
        "[process.db]\ncommand = 'echo hello; touch {db}; exec sleep 1000'\n\
         [process.web]\ncommand = 'echo hello >&2; touch {web}; exec sleep 1000'\n"
    );
    fs::write(&path, text).unwrap();
    let (said, code) = ctrl_c(&folder, &path, &["db", "web"]);
    assert_eq!(code, Some(0));
    let colour = |name: &str| {
        let end = format!("m{name} |\u{1b}[0m hello");
        let line = said
            .lines()
            .find_map(|line| line.trim_end().strip_suffix(&end));
        line.and_then(|line| line.strip_prefix("\u{1b}["))
            .expect(&said)
            .parse::<u8>()
            .unwrap()
    };
    assert_ne!(colour("db"), colour("web"));
}
