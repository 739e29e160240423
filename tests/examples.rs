//! The examples print what is kept for them in `examples/expected`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::child::{Program, run};

/// Those that go on until they are told to stop; each has a test of its own.
const DRIVEN: [&str; 2] = ["03_http_server", "11_whole_program"];

#[tokio::test]
async fn each_example_prints_what_is_expected() {
    for name in names() {
        if !DRIVEN.contains(&name.as_str()) {
            let ended = run(built(&name)).await;
            assert_eq!(
                ended.stdout,
                expected(&name),
                "{name} printed\n{}",
                ended.stderr
            );
            assert_eq!(ended.code, Some(0), "{name}");
        }
    }
}

#[test]
fn every_text_that_is_expected_belongs_to_an_example() {
    assert_eq!(stems(&folder().join("expected"), "txt"), names());
}

#[test]
fn each_example_says_how_to_run_it() {
    for name in names().into_iter().chain(folders()) {
        let whole = folder().join(&name).join("main.rs");
        let file = folder().join(&name).with_extension("rs");
        let source = read(if whole.exists() { &whole } else { &file });
        let header = source.lines().take_while(|line| line.starts_with("//!"));
        let command = format!("`cargo run --example {name}`");
        assert!(
            header.into_iter().any(|line| line.contains(&command)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_request_in_flight_gets_its_answer_and_the_port_is_free_again() {
    let (mut program, addr) = serve("127.0.0.1:0").await;
    let mut client = TcpStream::connect(&addr).await.unwrap();
    let head = format!("PUT /upload HTTP/1.1\r\nhost: {addr}\r\ncontent-length: 10\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(b"start").await.unwrap();
    program.prints("an upload begins").await;

    program.signal("TERM").await;
    program
        .prints("stopping: requests in flight have 30 seconds")
        .await;
    client.write_all(b" stop").await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\ngot 10 bytes\n"), "{answer}");

    let ended = program.end().await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        ended.stdout.replace(&addr, "ADDRESS"),
        expected("03_http_server")
    );

    drop(TcpListener::bind(&addr).await.expect("the port is free"));
    let (program, _) = serve(&addr).await;
    program.signal("INT").await;
    assert_eq!(program.end().await.code, Some(0));
}

#[tokio::test]
async fn a_whole_program_ends_in_order_on_sigterm() {
    let mut program = Program::start(built("11_whole_program"), &[]);
    program.prints("attempt 1: sleep runs").await;
    program.signal("TERM").await;
    let ended = program.end().await;
    assert_eq!(
        ended.stdout,
        expected("11_whole_program"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.code, Some(0));
}

#[tokio::test]
async fn a_whole_program_chooses_its_exit_code() {
    let ended = Program::start(built("11_whole_program"), &["/no/such/command"])
        .end()
        .await;
    assert_eq!(ended.code, Some(127), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("`/no/such/command` is not there"),
        "{}",
        ended.stderr
    );
}

/// The server of the example, once it listens, and where.
async fn serve(addr: &str) -> (Program, String) {
    let mut program = Program::start(built("03_http_server"), &[addr]);
    let line = program.line().await;
    let addr = line
        .strip_prefix("listening on http://")
        .expect("it says where it listens");
    (program, addr.to_owned())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn names() -> Vec<String> {
    stems(&folder(), "rs")
}

/// Those of several files each; what they print is no fixed text, so each has tests of its own.
fn folders() -> Vec<String> {
    let entries = fs::read_dir(folder()).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let paths = paths.filter(|path| path.join("main.rs").exists());
    paths
        .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
        .collect()
}

/// The names of the files with an ending, without it, in order.
fn stems(folder: &Path, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let paths = paths.filter(|path| path.extension() == Some(OsStr::new(ending)));
    let stem = |path: PathBuf| path.file_stem()?.to_str().map(str::to_owned);
    let mut stems: Vec<_> = paths.filter_map(stem).collect();
    stems.sort();
    stems
}

fn expected(name: &str) -> String {
    read(&folder().join("expected").join(name).with_extension("txt"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The program of an example; all are built before the first is run.
pub(crate) fn built(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER
        .get_or_init(build)
        .join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// Builds the examples as this test was built, and says where.
fn build() -> PathBuf {
    let this = env::current_exe().expect("a test has a path");
    let profile = this
        .ancestors()
        .nth(2)
        .expect("a test is in target/PROFILE/deps");
    let target = profile.parent().expect("a profile is in the target folder");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Build the whole workspace in the profile of the tests, so that nothing is built twice.
    let of = if profile.ends_with("release") {
        "release"
    } else {
        "test"
    };
    cargo
        .args(["build", "--workspace", "--examples", "--profile", of])
        .arg("--target-dir")
        .arg(target);
    let output = cargo
        .current_dir(folder())
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    profile.join("examples")
}
