//! Successors that are ready, and whose socket cannot be placed.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::PathBuf;
use std::process::Stdio;

use startstop_host::Handover;

use super::{Place, Program, ask, signal};

/// A successor that is ready and whose socket cannot be placed, until this is dropped: a file is where it would be made.
pub(super) struct Hindered {
    pub(super) program: Program,
    file: PathBuf,
}

impl Hindered {
    pub(super) fn start(place: &Place, number: u32, variables: &[(&str, &str)]) -> Self {
        let mut program = place.start_on(Stdio::piped(), number, "waits", variables);
        program = program.listening();
        let file = place.0.with_file_name(format!(".{}", program.child.id()));
        std::fs::write(&file, "").unwrap();
        program.release();
        // That it could not be placed is told.
        let mut told = BufReader::new(program.child.stderr.take().unwrap()).lines();
        let line = told.next().unwrap().unwrap();
        assert!(line.contains("host/handover: "), "{line}");
        std::thread::spawn(move || told.count());
        Self { program, file }
    }
}

impl Drop for Hindered {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.file));
    }
}

/// Stops all of its threads: until the last of them has stopped, one may take a connection and answer it when it wakes.
pub(super) fn freeze(program: &Program) {
    signal(program, "-STOP");
    let threads = format!("/proc/{}/task", program.child.id());
    let is_stopped = |stat: &String| {
        stat.rsplit(") ")
            .next()
            .is_some_and(|it| it.starts_with('T'))
    };
    let all_are_stopped = || {
        let mut threads = std::fs::read_dir(&threads).unwrap();
        threads.all(|thread| {
            let stat = std::fs::read_to_string(thread.unwrap().path().join("stat"));
            stat.as_ref().is_ok_and(is_stopped)
        })
    };
    while !all_are_stopped() {
        std::thread::yield_now();
    }
}

/// Two that serve are better than one that nobody can replace.
#[test]
fn the_old_one_goes_on_until_the_socket_of_a_successor_is_in_place() {
    let (place, mut old) = Place::taken("hindered");
    let at = old.at;
    let mut dies = Hindered::start(&place, 1, &[]);
    dies.program.child.kill().unwrap();
    dies.program.code();
    assert_eq!(ask(at.unwrap()).unwrap(), 0);
    let mut second = Hindered::start(&place, 2, &[]);
    std::fs::remove_file(&second.file).unwrap();
    assert_eq!(old.code(), Some(0));
    let third = place.start(3, "").ready();
    assert_eq!(second.program.code(), Some(0));
    assert_eq!(third.at, at);
}

/// It has tried in vain to place its socket, and would try again.
#[test]
fn a_successor_that_is_given_up_when_it_is_ready_takes_over_nothing() {
    let (place, mut old) = Place::taken("late");
    let at = old.at.unwrap();
    let mut frozen = Hindered::start(&place, 1, &[]);
    freeze(&frozen.program);
    assert_eq!(ask(at).unwrap(), 0);
    let _new = place.start(2, "").ready();
    assert_eq!(old.code(), Some(0));
    std::fs::remove_file(&frozen.file).unwrap();
    signal(&frozen.program, "-CONT");
    assert_eq!(frozen.program.code(), Some(1));
    assert_eq!(ask(at).unwrap(), 2);
}

/// It would be found out only when the program is ready, and each second again.
#[test]
fn a_directory_that_is_not_there_is_an_error_at_the_start() {
    let missing = std::env::temp_dir().join(format!("startstop-none-{}", std::process::id()));
    let error = Handover::at(missing.join("handover")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let text = error.to_string();
    assert!(text.contains(missing.to_str().unwrap()), "{text}");
}

/// Its clients may have taken all of them.
#[test]
fn an_old_one_without_a_descriptor_left_is_replaced_when_it_has_one_again() {
    let place = Place::new("starves");
    let mut old = place.start_on(Stdio::piped(), 1, "starves", &[]).ready();
    place.wait();
    let mut stdin = old.child.stdin.take().unwrap();
    stdin.write_all(b"\n").unwrap();
    assert_eq!(old.lines.next().unwrap().unwrap(), "starves");
    let new = place.start(2, "");
    let mut told = BufReader::new(old.child.stderr.take().unwrap()).lines();
    let line = told.next().unwrap().unwrap();
    assert!(line.contains("Too many open files"), "{line}");
    stdin.write_all(b"\n").unwrap();
    let new = new.ready();
    assert_eq!(new.at, old.at);
    assert_eq!(old.code(), Some(0));
}
