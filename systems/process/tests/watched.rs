//! `startstop-run` as others see it: probes, metrics, the page, a service manager, and `startstop-top`, which controls it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Output};
use std::time::Duration;

use crate::free_port::free_port;
use crate::support::{Folder, is_alive, kill, until};

/// A program that does not outlive its test, nor do its children: a kill would leave those alive.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // Once it is waited for its id may be another's.
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let mut left = 3000;
        while left > 0 && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
            left -= 1;
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A desk with redis, a worker that fails until it may run, and a process that is after redis.
struct Desk {
    folder: Folder,
    admin: String,
    program: Program,
    manager: UnixDatagram,
}

impl Desk {
    fn open() -> Self {
        let folder = Folder::new("desk");
        let admin = format!("127.0.0.1:{}", free_port());
        let port = free_port();
        let text = format!(
            "name = 'desk'\nadmin = '{admin}'\ncontrol = {{ token = 's3cret' }}\n\
             [process.redis]\ncommand = ['redis-server', '--save', '', '--port', '{port}', '--pidfile', '{pid}']\n\
             ready = {{ tcp = '127.0.0.1:{port}' }}\nrestart = {{ policy = 'always', delay = '10ms' }}\n\
             [process.worker]\ncommand = 'echo not yet >&2; test -e flag && echo up && exec sleep 1000'\n\
             cwd = '{cwd}'\nready = {{ line = 'up' }}\nrestart = {{ policy = 'always', delay = '50ms', limit = 1000000 }}\n\
             [process.web]\ncommand = 'env >web; echo $$ >pid; exec sleep 1000'\ncwd = '{cwd}'\nafter = ['redis']\n",
            pid = folder.path("redis.pid"),
            cwd = folder.path(""),
        );
        folder.write("app.toml", &text);
        let manager = UnixDatagram::bind(folder.path("notify")).unwrap();
        manager
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let program = Command::new(env!("CARGO_BIN_EXE_supervisor"))
            .arg(folder.path("app.toml"))
            .env("NOTIFY_SOCKET", folder.path("notify"))
            .spawn()
            .unwrap();
        Self {
            folder,
            admin,
            program: Program(program),
            manager,
        }
    }

    /// The answer to a request, once there is one.
    fn get(&self, path: &str) -> String {
        until(|| {
            let mut stream = TcpStream::connect(&self.admin).ok()?;
            let head = format!(
                "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                self.admin
            );
            stream.write_all(head.as_bytes()).ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).ok()?;
            (!answer.is_empty()).then_some(answer)
        })
    }

    fn until_says(&self, path: &str, part: &str) -> String {
        until(|| Some(self.get(path)).filter(|answer| answer.contains(part)))
    }

    /// Messages to the service manager until one has a line that begins like this.
    fn until_told(&self, line: &str) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            let mut buffer = [0; 4096];
            let n = self.manager.recv(&mut buffer).expect(line);
            told.extend(
                String::from_utf8_lossy(&buffer[..n])
                    .lines()
                    .map(str::to_owned),
            );
            if told.iter().any(|told| told.starts_with(line)) {
                return told;
            }
        }
    }

    fn top(&self, args: &[&str]) -> Output {
        let mut top = Command::new(top());
        top.arg(&self.admin)
            .args(args)
            .env("STARTSTOP_TOKEN", "s3cret")
            .output()
            .unwrap()
    }

    #[track_caller]
    fn control(&self, action: &str, path: &str) {
        let output = self.top(&[action, path]);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "asked for\n",
            "{output:?}"
        );
    }
}

/// The program `startstop-top`: another package's is not built for these tests.
fn top() -> String {
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap().to_str().unwrap();
    let manifest = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../startstop-host/Cargo.toml"
    );
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--manifest-path",
            manifest,
            "--features",
            "top",
        ])
        .args(["--bin", "startstop-top", "--target-dir", target])
        .status();
    assert!(status.unwrap().success());
    format!("{target}/debug/startstop-top")
}

#[test]
fn probes_metrics_the_page_and_the_manager_tell_how_it_fares_and_top_controls_it() {
    let mut desk = Desk::open();
    let pid = || until(|| crate::support::pid_of(desk.folder.path("redis.pid")));

    // A process in backoff is not ready, and no reason to restart all.
    let ready = desk.until_says("/readyz", "exited with code 1: not yet");
    assert!(
        ready.starts_with("HTTP/1.1 503") && ready.contains("desk/worker"),
        "{ready}"
    );
    assert!(desk.get("/livez").starts_with("HTTP/1.1 200"));
    // At most once a second.
    desk.until_told("STATUS=starting: waits for ");
    desk.folder.write("flag", "");
    desk.until_says("/readyz", "HTTP/1.1 200");
    let verbose = desk.get("/readyz?verbose");
    assert!(
        verbose.contains("[+]desk/redis ok\n") && verbose.contains("[+]desk/web ok\n"),
        "{verbose}"
    );
    desk.until_told("READY=1");
    let variables = desk.folder.read("web");
    assert!(!variables.contains("NOTIFY_SOCKET"), "{variables}");

    let first = pid();
    kill("-KILL", &first);
    let second = until(|| Some(pid()).filter(|second| *second != first));
    desk.until_says(
        "/metrics",
        "startstop_restarts_total{path=\"desk/redis\"} 1\n",
    );
    desk.until_says("/metrics", "startstop_ready{path=\"desk/redis\"} 1\n");
    let page = desk.until_says("/", &format!("pid {second}"));
    assert!(
        page.contains("ended by SIGKILL") && page.contains("redis"),
        "{page}"
    );

    let tree = String::from_utf8(desk.top(&["status"]).stdout).unwrap();
    assert!(
        tree.contains("├─ redis   running") && tree.contains(&format!("pid {second}")),
        "{tree}"
    );
    desk.control("restart", "desk/redis");
    until(|| (pid() != second && !is_alive(&second)).then_some(()));
    let web = desk.folder.read("pid");
    desk.control("stop", "desk/web");
    until(|| (!is_alive(&web)).then_some(()));
    desk.control("start", "desk/web");
    until(|| Some(desk.folder.read("pid")).filter(|pid| *pid != web));
    let refused = desk.top(&["stop", "desk/nothing"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");

    // A reload of the whole reads the file again.
    let text = fs::read_to_string(desk.folder.path("app.toml")).unwrap();
    desk.folder.write(
        "app.toml",
        &(text + "[process.new]\ncommand = ['sleep', '1000']\n"),
    );
    let before = pid();
    desk.control("reload", "desk");
    desk.until_says("/readyz?verbose", "[+]desk/new ok\n");
    assert_eq!(pid(), before);

    kill("-TERM", &desk.program.0.id().to_string());
    desk.until_told("STOPPING=1");
    assert_eq!(desk.program.0.wait().unwrap().code(), Some(0));
}
