//! Sockets that a service manager hands over, by a shell in its place, and those that are put into its store.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_startstop-host-sockets");

/// Starts the program with two sockets, as a manager does: from 3 on, with their names and its pid.
fn start(pid: &str, tcp: TcpListener, unix: UnixListener) -> Child {
    start_with(
        &format!("LISTEN_PID={pid} LISTEN_FDS=2 LISTEN_FDNAMES=http.socket:control"),
        tcp,
        unix,
    )
}

fn start_with(variables: &str, tcp: TcpListener, unix: UnixListener) -> Child {
    let script = format!("exec env {variables} {PROGRAM} 3<&0 4<&2 2>/dev/null");
    Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::from(OwnedFd::from(tcp)))
        .stderr(Stdio::from(OwnedFd::from(unix)))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn sockets() -> (TcpListener, UnixListener, std::path::PathBuf) {
    let path = std::env::temp_dir().join(format!("startstop-sockets-{}", std::process::id()));
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
        "listening",
    ];
    assert_eq!(told, expected);
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
fn a_name_that_the_store_would_refuse_is_an_error() {
    let sockets = startstop_host::Sockets::from_env();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for name in ["", "a:b", "a\nb", "ä", &"a".repeat(256)] {
        assert!(sockets.store(name, &listener).is_err(), "{name:?}");
    }
}
