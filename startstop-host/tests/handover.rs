//! New processes that take over from old ones.

mod hindered;
#[cfg(feature = "notify")]
mod unit;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use startstop_host::Handover;

use self::hindered::freeze;

/// A process, killed when the test ends before it does.
struct Program {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    at: Option<SocketAddr>,
}

impl Program {
    /// Waits until it has its listener.
    fn listening(mut self) -> Self {
        let line = self.lines.next().unwrap().unwrap();
        self.at = Some(line.strip_prefix("at ").unwrap().parse().unwrap());
        self
    }

    fn ready(mut self) -> Self {
        self = self.listening();
        assert_eq!(self.lines.next().unwrap().unwrap(), "ready");
        self
    }

    /// Lets one that waits become ready.
    fn release(&mut self) {
        self.child.stdin.take().unwrap().write_all(b"\n").unwrap();
        assert_eq!(self.lines.next().unwrap().unwrap(), "ready");
    }

    fn code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("startstop-{name}-{}", std::process::id()));
        drop(std::fs::remove_file(&path));
        Self(path)
    }

    /// A place with a program that can be replaced.
    fn taken(name: &str) -> (Self, Program) {
        let place = Self::new(name);
        let program = place.start(0, "").ready();
        place.wait();
        (place, program)
    }

    /// Connects until somebody is there: it appears right after the program is ready.
    fn wait(&self) {
        while UnixStream::connect(&self.0).is_err() {
            std::thread::yield_now();
        }
    }

    fn start(&self, number: u32, act: &str) -> Program {
        self.start_with(number, act, &[])
    }

    fn start_with(&self, number: u32, act: &str, variables: &[(&str, &str)]) -> Program {
        self.start_on(Stdio::null(), number, act, variables)
    }

    fn start_on(
        &self,
        stderr: Stdio,
        number: u32,
        act: &str,
        variables: &[(&str, &str)],
    ) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_startstop-host-replaced"));
        command
            .arg(&self.0)
            .args(["127.0.0.1:0", &number.to_string()]);
        command
            .env_remove("NOTIFY_SOCKET")
            .envs(variables.iter().copied());
        command.args(Some(act).filter(|act| !act.is_empty()));
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Program {
            child,
            lines,
            at: None,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

fn ask(at: SocketAddr) -> std::io::Result<u32> {
    let mut client = TcpStream::connect(at)?;
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")?;
    let mut text = String::new();
    client.read_to_string(&mut text)?;
    Ok(text
        .rsplit("\r\n")
        .next()
        .and_then(|number| number.parse().ok())
        .expect("an answer"))
}

#[test]
fn no_request_is_refused_or_cut_off_over_many_replacements() {
    let (place, mut old) = Place::taken("many");
    let at = old.at.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let over = Arc::clone(&over);
            std::thread::spawn(move || {
                let mut served = 0;
                while !over.load(Ordering::Relaxed) {
                    ask(at).unwrap();
                    served += 1;
                }
                served
            })
        })
        .collect();
    for number in 1..=20 {
        let new = place.start(number, "").ready();
        assert_eq!(new.at, Some(at), "the listener is the same");
        assert_eq!(old.code(), Some(0));
        old = new;
    }
    over.store(true, Ordering::Relaxed);
    let served: Vec<u32> = clients
        .into_iter()
        .map(|client| client.join().unwrap())
        .collect();
    assert!(served.iter().all(|served| *served > 0), "{served:?}");
    assert_eq!(ask(at).unwrap(), 20);
}

#[test]
fn a_successor_that_dies_changes_nothing() {
    let (place, mut old) = Place::taken("dies");
    let at = old.at.unwrap();
    assert_eq!(place.start(1, "dies").code(), Some(1));
    let mut killed = place.start(2, "waits").listening();
    killed.child.kill().unwrap();
    killed.code();
    assert_eq!(ask(at).unwrap(), 0);
    let _new = place.start(3, "").ready();
    assert_eq!(old.code(), Some(0));
    assert_eq!(ask(at).unwrap(), 3);
}

fn signal(program: &Program, signal: &str) {
    let pid = program.child.id().to_string();
    let sent = Command::new("kill").args([signal, &pid]).status();
    assert!(sent.unwrap().success());
}

/// One that is stopped, as by a debugger, is none that has died: its connection stays.
#[test]
fn a_successor_that_is_frozen_is_given_up_and_ends_when_it_wakes() {
    let (place, mut old) = Place::taken("asleep");
    let at = old.at.unwrap();
    let mut frozen = place.start(1, "waits").listening();
    freeze(&frozen);
    assert_eq!(ask(at).unwrap(), 0);
    let mut new = place.start(2, "").ready();
    assert_eq!(old.code(), Some(0));
    signal(&frozen, "-CONT");
    assert_eq!(frozen.code(), Some(1));
    assert_eq!(ask(at).unwrap(), 2);
    let _last = place.start(3, "").ready();
    assert_eq!(new.code(), Some(0));
}

/// Two things are there when it wakes: the line that it has waited for, and the word of the program that has given it up.
#[test]
fn a_successor_that_is_ready_as_it_wakes_ends_too() {
    let (place, mut old) = Place::taken("asleep-and-ready");
    let at = old.at.unwrap();
    let mut frozen = place.start(1, "waits").listening();
    freeze(&frozen);
    let _new = place.start(2, "").ready();
    assert_eq!(old.code(), Some(0));
    drop(frozen.child.stdin.take());
    signal(&frozen, "-CONT");
    assert_eq!(frozen.code(), Some(1));
    assert_eq!(ask(at).unwrap(), 2);
}

/// By hand: it says each second that it is alive, and has all the time.
#[test]
fn a_successor_that_takes_its_time_is_waited_for() {
    let (place, mut old) = Place::taken("slow");
    let mut slow = UnixStream::connect(&place.0).unwrap();
    slow.write_all(&[1]).unwrap();
    for _ in 0..6 {
        std::thread::sleep(std::time::Duration::from_secs(1));
        slow.write_all(b"W").unwrap();
    }
    slow.write_all(b"R").unwrap();
    assert_eq!(old.code(), Some(0));
}

#[test]
fn a_successor_that_dies_when_it_has_taken_the_place_leaves_it_to_the_old_one() {
    let (place, mut old) = Place::taken("place");
    let mut dies = UnixStream::connect(&place.0).unwrap();
    dies.write_all(&[1]).unwrap();
    dies.read_exact(&mut [0; 2]).unwrap();
    std::fs::remove_file(&place.0).unwrap();
    drop(UnixListener::bind(&place.0).unwrap());
    drop(dies);
    place.wait();
    let new = place.start(1, "").ready();
    assert_eq!(old.code(), Some(0));
    assert_eq!(new.at, old.at);
}

#[test]
fn the_socket_appears_when_the_program_is_ready_for_its_owner_alone_and_goes_with_it() {
    let place = Place::new("mode");
    let mut program = place.start(0, "waits").listening();
    assert!(!place.0.exists());
    program.release();
    place.wait();
    let found = std::fs::symlink_metadata(&place.0).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    signal(&program, "-TERM");
    assert_eq!(program.code(), Some(0));
    assert!(!place.0.exists());
}

#[test]
fn a_socket_that_was_left_behind_hinders_nobody_and_a_file_is_left_alone() {
    let place = Place::new("stale");
    drop(UnixListener::bind(&place.0).unwrap());
    let mut old = place.start(0, "").ready();
    place.wait();
    let _new = place.start(1, "");
    assert_eq!(old.code(), Some(0));
    let file = Place::new("file");
    std::fs::write(&file.0, "mine").unwrap();
    assert_eq!(
        Handover::at(&file.0).unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    assert_eq!(std::fs::read_to_string(&file.0).unwrap(), "mine");
}

/// A socket takes 107 bytes, and it is made in a folder beside its path.
#[test]
fn a_path_that_is_too_long_is_an_error_at_once() {
    let folder = std::env::temp_dir();
    let room = 105 - folder.as_os_str().len();
    for folder in [
        folder.join("f".repeat(room - 3)),
        folder.join("f".repeat(room + 1)),
    ] {
        let error = Handover::at(folder.join("h")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("fff"), "{error}");
    }
}

#[test]
fn a_second_successor_waits_for_the_first() {
    let (place, mut old) = Place::taken("two");
    let mut first = place.start(1, "waits").listening();
    let second = place.start(2, "");
    first.release();
    assert_eq!(old.code(), Some(0));
    let second = second.ready();
    assert_eq!(
        first.code(),
        Some(0),
        "the second replaces the first, not the old one"
    );
    assert_eq!(ask(second.at.unwrap()).unwrap(), 2);
}

/// One that is stopped, or blocked, has a socket that connects and says nothing.
#[test]
fn a_frozen_predecessor_is_an_error_in_time_and_what_systemd_has_handed_over_is_kept() {
    let place = Place::new("frozen");
    let frozen = UnixListener::bind(&place.0).unwrap();
    let handed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = handed.local_addr().unwrap();
    let script = format!(
        "exec env LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=http {} {} 127.0.0.1:0 1 falls-back 3<&0",
        env!("CARGO_BIN_EXE_startstop-host-replaced"),
        place.0.display()
    );
    let mut command = Command::new("sh");
    let command = command
        .args(["-c", &script])
        .stdin(Stdio::from(OwnedFd::from(handed)));
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told, format!("timed out\nat {at}\n"));
    drop(frozen);
}

#[test]
fn a_successor_that_waits_for_its_turn_hears_that_it_has_to() {
    let (place, mut old) = Place::taken("turn");
    let mut first = place.start(1, "waits").listening();
    // A successor by hand: it sends its version, and says that it waits for longer than a frozen one would be waited
    // for.
    let mut second = UnixStream::connect(&place.0).unwrap();
    second.write_all(&[1]).unwrap();
    let mut told = [0; 3];
    second.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"\x01WW");
    first.release();
    assert_eq!(old.code(), Some(0));
    // The connection just ends. It may end with a reset, since the server has not read everything.
    let mut rest = Vec::new();
    drop(second.read_to_end(&mut rest));
    assert!(rest.iter().all(|byte| *byte == b'W'), "{rest:?}");
}

#[test]
fn another_version_is_a_clear_error() {
    let place = Place::new("version");
    let listener = UnixListener::bind(&place.0).unwrap();
    let old = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut version = [0];
        stream.read_exact(&mut version).unwrap();
        stream.write_all(&[7]).unwrap();
        version[0]
    });
    let error = Handover::at(&place.0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("speaks version 7"), "{error}");
    assert_eq!(old.join().unwrap(), 1);
}
