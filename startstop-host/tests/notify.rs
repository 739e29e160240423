//! The messages of a program to its service manager, whose place a test takes.

mod crowded;
mod descriptor;
mod descriptors;
mod down;
mod unread;

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A manager that listens, and the program that tells it.
struct Manager {
    socket: UnixDatagram,
    program: Program,
    stdin: ChildStdin,
    _folder: Folder,
}

/// A program that does not outlive its test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("startstop-told-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn program(mode: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_startstop-host-told"));
    program
        .arg(mode)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // To print the frames of a panic may take longer than a destructor may.
        .env("RUST_BACKTRACE", "0");
    for variable in [
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "WATCHDOG_PID",
        "STARTSTOP_NOTIFY_FD",
    ] {
        program.env_remove(variable);
    }
    program
}

impl Manager {
    fn run(mode: &str, variables: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let path = folder.0.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        Self::of(
            socket,
            program(mode)
                .env("NOTIFY_SOCKET", path)
                .envs(variables.iter().copied()),
            folder,
        )
    }

    fn of(socket: UnixDatagram, command: &mut Command, folder: Folder) -> Self {
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let mut program = Program(command.spawn().unwrap());
        let stdin = program.0.stdin.take().unwrap();
        Self {
            socket,
            program,
            stdin,
            _folder: folder,
        }
    }

    fn go_on(&mut self) {
        self.stdin.write_all(b"\n").unwrap();
    }

    fn signal(&self, name: &str) {
        let pid = self.program.0.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// The next datagram with this line; the others are skipped.
    fn hear_of(&self, line: &str) -> String {
        hear_of(&self.socket, line)
    }

    fn end(mut self) -> Option<i32> {
        drop(self.stdin);
        self.program.0.wait().unwrap().code()
    }
}

/// The next datagram with this line; the others are skipped.
pub(crate) fn hear_of(manager: &UnixDatagram, line: &str) -> String {
    let mut bytes = [0; 4096];
    loop {
        match manager.recv(&mut bytes) {
            Ok(length) => {
                let datagram = String::from_utf8(bytes[..length].to_vec()).unwrap();
                if datagram.lines().any(|found| found.starts_with(line)) {
                    return datagram;
                }
            }
            // The child of another test has ended.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => panic!("{line} is not told: {error}"),
        }
    }
}

#[test]
fn the_manager_is_told_of_a_life_from_the_start_to_the_drain() {
    let mut manager = Manager::run("app", &[]);
    manager.hear_of("STATUS=starting: waits for shop/slow");
    manager.hear_of("EXTEND_TIMEOUT_USEC=");
    manager.go_on();
    manager.hear_of("READY=1");

    manager.signal("-HUP");
    assert!(manager.hear_of("RELOADING=1").contains("MONOTONIC_USEC="));
    assert_eq!(manager.hear_of("READY=1").lines().next(), Some("READY=1"));
    manager.signal("-HUP");
    manager.hear_of("RELOADING=1");
    let failed = manager.hear_of("READY=1");
    assert_eq!(
        failed,
        "READY=1\nSTATUS=ready; the last reload failed: line 7 is odd READY=0\n"
    );

    manager.signal("-TERM");
    let stopping = manager.hear_of("STOPPING=1");
    assert!(
        stopping.contains("STATUS=stopping: waits for shop/db, shop/slow"),
        "{stopping}"
    );
    manager.hear_of("EXTEND_TIMEOUT_USEC=");
    assert_eq!(manager.end(), Some(0));
}

#[test]
fn the_manager_is_told_of_a_failed_start() {
    let manager = Manager::run("fails", &[]);
    let failed = manager.hear_of("ERRNO=");
    assert!(
        failed.contains("ERRNO=98\n") && failed.contains("in use"),
        "{failed}"
    );
    assert_eq!(manager.end(), Some(1));
}

#[test]
fn the_watchdog_hears_as_long_as_the_runtime_works() {
    let mut manager = Manager::run("blocks", &[("WATCHDOG_USEC", "200000")]);
    manager.hear_of("READY=1");
    for _ in 0..3 {
        assert_eq!(manager.hear_of("WATCHDOG=1"), "WATCHDOG=1\n");
    }
    manager.go_on();
    manager
        .socket
        .set_read_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    // Datagrams that are under way still arrive, then none.
    let silent = (0..50).any(|_| manager.socket.recv(&mut [0; 4096]).is_err());
    assert!(silent, "a blocked runtime keeps no watchdog quiet");
    manager.program.0.kill().unwrap();
    assert_eq!(manager.end(), None);
}

#[test]
fn a_watchdog_of_somebody_else_is_left_alone() {
    let mut manager = Manager::run("app", &[("WATCHDOG_USEC", "100000"), ("WATCHDOG_PID", "1")]);
    manager.go_on();
    manager.hear_of("READY=1");
    manager
        .socket
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    assert!(manager.socket.recv(&mut [0; 4096]).is_err());
    manager.socket.set_read_timeout(Some(LIMIT)).unwrap();
    manager.signal("-TERM");
    manager.hear_of("STOPPING=1");
    assert_eq!(manager.end(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn an_abstract_socket_works() {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("startstop-told-{}", std::process::id());
    let addr = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&addr).unwrap();
    let mut command = program("app");
    let command = command.env("NOTIFY_SOCKET", format!("@{name}"));
    let mut manager = Manager::of(socket, command, Folder::new());
    manager.go_on();
    manager.hear_of("READY=1");
    manager.signal("-TERM");
    assert_eq!(manager.end(), Some(0));
}

#[test]
fn a_socket_that_cannot_be_used_is_a_clear_error() {
    for (socket, why) in [
        ("vsock:2:1234", "vsock"),
        ("relative", "neither `/` nor `@`"),
    ] {
        let output = program("app")
            .env("NOTIFY_SOCKET", socket)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(told.contains(socket) && told.contains(why), "{told}");
    }
}

#[test]
fn a_manager_that_is_gone_is_told_of_once_and_hinders_nobody() {
    let mut program = program("app");
    program
        .env("NOTIFY_SOCKET", "/nonexistent/notify")
        .stdout(Stdio::piped());
    let mut program = Program(program.spawn().unwrap());
    // A program that has begun listens to signals.
    program
        .0
        .stdout
        .take()
        .unwrap()
        .read_exact(&mut [0; 6])
        .unwrap();
    program.0.stdin.take().unwrap().write_all(b"\n").unwrap();
    let mut told = program.0.stderr.take().unwrap();
    let mut first = [0; 256];
    let length = told.read(&mut first).unwrap();
    assert!(
        String::from_utf8_lossy(&first[..length]).contains("notify"),
        "it is told"
    );
    let kill = Command::new("kill")
        .arg(program.0.id().to_string())
        .status()
        .unwrap();
    assert!(kill.success());
    assert_eq!(program.0.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "once");
}

#[test]
fn a_grace_that_is_too_short_is_warned_of() {
    for (grace, warns) in [("3", true), ("600", false), ("soon", true)] {
        let mut manager = Manager::run("app", &[("STARTSTOP_GRACE", grace)]);
        manager.go_on();
        manager.hear_of("READY=1");
        manager.signal("-TERM");
        let mut told = String::new();
        let mut stderr = manager.program.0.stderr.take().unwrap();
        stderr.read_to_string(&mut told).unwrap();
        assert_eq!(told.contains("STARTSTOP_GRACE"), warns, "{told}");
        assert_eq!(manager.end(), Some(0));
    }
}

#[test]
fn a_destructor_of_the_service_neither_holds_the_program_nor_changes_its_code() {
    for (mode, code, why) in [
        (
            "stays",
            1,
            "a destructor of service \"leaving\" does not return",
        ),
        (
            "stays in main",
            1,
            "a destructor of service \"leaving\" does not return",
        ),
        ("breaks", 0, "a destructor panicked: out of ink"),
        ("breaks in main", 0, "a destructor panicked: out of ink"),
    ] {
        let mut program = program(mode);
        let mut program = Program(program.stdout(Stdio::piped()).spawn().unwrap());
        let mut stdout = program.0.stdout.take().unwrap();
        stdout.read_exact(&mut [0; "running".len()]).unwrap();
        let pid = program.0.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        let mut told = String::new();
        let mut stderr = program.0.stderr.take().unwrap();
        stderr.read_to_string(&mut told).unwrap();
        assert!(told.contains(why), "{mode}: {told}");
        assert_eq!(program.0.wait().unwrap().code(), Some(code), "{mode}");
    }
}
