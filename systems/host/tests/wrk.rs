//! wrk, which asks on 64 connections as fast as it can, while the program is replaced by new processes of it.

use std::process::{Command, Stdio};

use crate::free_port::free_port;
use crate::support::{Folder, Program, SHOP, until};

const REPLACEMENTS: usize = 5;

struct Place {
    folder: Folder,
    port: u16,
}

impl Place {
    /// A program that has taken the place, from another one if there was one.
    fn take(&self, admin: u16) -> Program {
        let mut command = Command::new(SHOP);
        command
            .env("SHOP_HTTP", format!("127.0.0.1:{}", self.port))
            .env("SHOP_HANDOVER", self.folder.path().join("handover"))
            .env("SHOP_ADMIN", admin.to_string())
            .env("SHOP_DRAIN", "300");
        let program = Program::run(command.env_remove("NOTIFY_SOCKET"));
        let probe = format!("http://127.0.0.1:{admin}/readyz");
        until("it is ready", || crate::support::curl(&[&probe]) == "ok");
        program
    }
}

#[test]
fn wrk_meets_no_error_over_replacements() {
    let place = Place {
        folder: Folder::new(),
        port: free_port(),
    };
    let socket = place.folder.path().join("handover");
    let mut old = place.take(free_port());
    let wrk = Command::new("wrk")
        .args(["--threads=2", "--connections=64", "--duration=6s"])
        .arg(format!("http://127.0.0.1:{}/", place.port))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..REPLACEMENTS {
        until("it can be replaced", || socket.exists());
        let new = place.take(free_port());
        assert_eq!(old.0.wait().unwrap().code(), Some(0));
        old = new;
    }
    let output = wrk.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    // It tells of them only where there are some.
    for problem in ["Socket errors", "Non-2xx"] {
        assert!(!told.contains(problem), "{told}");
    }
    let requests = told
        .lines()
        .find_map(|line| line.trim().split_once(" requests in ")?.0.parse().ok());
    assert!(requests.is_some_and(|count: usize| count > 1_000), "{told}");
    assert_eq!(old.stop(), Some(0));
}
