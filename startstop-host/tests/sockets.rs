//! Sockets that a service manager hands over, by a shell in its place, and those that are put into its store.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const PROGRAM: &str = env!("CARGO_BIN_EXE_startstop-host-sockets");

/// Starts the program with two sockets, as a manager does: from 3 on, with their names and its pid. A file and a pipe follow.
fn start(pid: &str, tcp: TcpListener, unix: UnixListener) -> Child {
    start_with(
        &format!("LISTEN_PID={pid} LISTEN_FDS=2 LISTEN_FDNAMES=http.socket:control"),
        tcp,
        unix,
    )
}

fn start_with(variables: &str, tcp: TcpListener, unix: UnixListener) -> Child {
    start_as(variables, "", tcp, unix)
}

fn start_as(variables: &str, argument: &str, tcp: TcpListener, unix: UnixListener) -> Child {
    let script =
        format!("exec env {variables} {PROGRAM} {argument} 3<&0 4<&2 5</dev/null 6>&1 2>/dev/null");
    Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::from(OwnedFd::from(tcp)))
        .stderr(Stdio::from(OwnedFd::from(unix)))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn sockets() -> (TcpListener, UnixListener, std::path::PathBuf) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("startstop-sockets-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    drop(std::fs::remove_file(&path));
    (
        TcpListener::bind("127.0.0.1:0").unwrap(),
        UnixListener::bind(&path).unwrap(),
        path,
    )
}

#[test]
fn sockets_are_taken_by_name_once_and_answer() {
    let (tcp, unix, path) = sockets();
    let addr = tcp.local_addr().unwrap();
    let mut child = start("$$", tcp, unix);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut told = Vec::new();
    for line in lines.map(Result::unwrap) {
        if line == "listening" {
            let mut text = String::new();
            TcpStream::connect(addr)
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text, "hello");
        }
        told.push(line);
    }
    assert!(child.wait().unwrap().success());
    std::fs::remove_file(path).unwrap();
    let expected = [
        "again: false",
        "udp of that name: false",
        "unknown name: false",
        "http: true",
        "http again: false",
        "control: true",
        "waits: false",
        "inherited: false",
        "untaken: false",
        // They are not among those that were handed over.
        "file: true",
        "pipe: true",
        "listening",
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_nobody_takes_stays_open_but_not_in_children_whatever_its_kind() {
    let (tcp, unix, path) = sockets();
    let addr = tcp.local_addr().unwrap();
    // Only the first one has a name.
    let variables = "LISTEN_PID=$$ LISTEN_FDS=4 LISTEN_FDNAMES=http";
    let mut child = start_as(variables, "leaves", tcp, unix);
    let told = BufReader::new(child.stdout.take().unwrap()).lines();
    let told: Vec<_> = told
        .map(Result::unwrap)
        .take_while(|line| line != "listening")
        .collect();
    assert_eq!(
        told[told.len() - 3..],
        ["untaken: false", "file: false", "pipe: false"]
    );
    UnixStream::connect(&path).expect("it is open");
    drop(TcpStream::connect(addr).unwrap());
    child.wait().unwrap();
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_store_that_is_no_file_is_refused_in_words() {
    const INSIDE: &str = "STARTSTOP_TEST_STORE";
    if std::env::var_os(INSIDE).is_some() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sockets = startstop_host::Sockets::from_env();
        let error = sockets.store("http", &listener).unwrap_err().to_string();
        assert!(error.contains("@manager"), "{error}");
        return;
    }
    // A process cannot change its own variables safely, so the test runs itself as a child.
    let name = "sockets::a_store_that_is_no_file_is_refused_in_words";
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .envs([(INSIDE, "1"), ("NOTIFY_SOCKET", "@manager")])
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn sockets_of_another_process_are_left_alone() {
    let (tcp, unix, path) = sockets();
    let output = start("1", tcp, unix).wait_with_output().unwrap();
    std::fs::remove_file(path).unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("http: false\n") && told.contains("control: false\n"),
        "{told}"
    );
}

#[test]
fn sockets_without_names_are_called_unknown() {
    let (tcp, unix, path) = sockets();
    let variables = "--unset=LISTEN_FDNAMES LISTEN_PID=$$ LISTEN_FDS=2";
    let output = start_with(variables, tcp, unix).wait_with_output().unwrap();
    std::fs::remove_file(path).unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("http: false\n") && told.ends_with("unknown: true\n"),
        "{told}"
    );
}

#[test]
fn a_number_of_sockets_that_makes_no_sense_is_none() {
    for count in ["", "-1", "two", "4000000000", "99999999999999999999"] {
        let (tcp, unix, path) = sockets();
        let variables = format!("LISTEN_PID=$$ LISTEN_FDS={count} LISTEN_FDNAMES=http:control");
        let output = start_with(&variables, tcp, unix).wait_with_output();
        let output = output.unwrap();
        std::fs::remove_file(path).unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{count}: {}", output.status);
        assert!(told.contains("http: false\n"), "{count}: {told}");
    }
}

#[test]
fn a_name_that_the_store_would_refuse_is_an_error() {
    let sockets = startstop_host::Sockets::from_env();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for name in ["", "a:b", "a\nb", "ä", &"a".repeat(256)] {
        assert!(sockets.store(name, &listener).is_err(), "{name:?}");
    }
}
