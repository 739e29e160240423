//! The application among the examples: it is asked over HTTP while its members are killed and restarted.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::child::{Ended, Program};
use crate::examples::built;

/// What takes longer than this is taken never to come.
const LIMIT: Duration = Duration::from_secs(30);

/// The example, once it listens.
struct Application {
    program: Program,
    /// What it has printed and nobody has looked at.
    printed: VecDeque<String>,
    admin: String,
    http: String,
}

type Answer = (u16, String);

#[tokio::test]
async fn members_begin_after_what_they_need_and_end_before_it() {
    let app = Application::start().await;
    in_order(
        &app.printed,
        &[
            "db begins",
            "migrate begins",
            "migrate has ended",
            "http begins",
        ],
    );
    in_order(
        &app.printed,
        &["db begins", "cache begins", "http begins", "listening on"],
    );
    assert_eq!(app.value().await, ok("hello from the database"));

    let (http, admin) = (app.http.clone(), app.admin.clone());
    let ended = app.end().await;
    let lines: Vec<String> = ended.stdout.lines().map(str::to_owned).collect();
    in_order(
        &lines,
        &[
            "listening on",
            "http has ended",
            "cache has ended",
            "db has ended",
        ],
    );
    for name in ["worker", "admin"] {
        in_order(&lines, &["listening on", &format!("{name} has ended")]);
    }
    for addr in [http, admin] {
        drop(TcpListener::bind(addr).await.expect("the port is free"));
    }
}

#[tokio::test]
async fn without_the_database_requests_are_answered_that_there_is_no_value() {
    let app = Application::start().await;
    assert_eq!(app.value().await, ok("hello from the database"));
    for down in ["kill", "stop"] {
        assert_eq!(app.asks("db", down).await, ok("db is stopped"));
        assert_eq!(
            app.value().await,
            (503, "the database is down\n".to_owned())
        );
        assert_eq!(app.asks("db", "start").await, ok("db is running"));
        // It is elsewhere now, and what the cache has kept is still true.
        assert_eq!(app.value().await, ok("hello from the cache"));
    }
    assert_eq!(app.asks("db", "restart").await, ok("db is running"));
    assert_eq!(app.value().await, ok("hello from the cache"));
    app.end().await;
}

#[tokio::test]
async fn without_the_cache_the_database_is_asked() {
    let app = Application::start().await;
    assert_eq!(app.value().await, ok("hello from the database"));
    assert_eq!(app.value().await, ok("hello from the cache"));
    assert_eq!(app.asks("cache", "kill").await, ok("cache is stopped"));
    assert_eq!(app.value().await, ok("hello from the database"));
    assert_eq!(app.value().await, ok("hello from the database"));
    // Nobody asks meanwhile: the cache would be filled again before the next line looks.
    for up in ["start", "restart"] {
        assert_eq!(app.admin("cache", up).await, ok("cache is running"));
        assert_eq!(app.value().await, ok("hello from the database"));
        assert_eq!(app.value().await, ok("hello from the cache"));
    }
    // A second migration, so that what the cache has kept is true no more.
    assert_eq!(
        app.admin("migrate", "start").await,
        ok("migrate is stopped")
    );
    assert_eq!(app.value().await, ok("hello from the database"));
    app.end().await;
}

#[tokio::test]
async fn connections_are_refused_only_while_the_server_is_down() {
    let app = Application::start().await;
    for down in ["kill", "stop"] {
        assert_eq!(app.admin("http", down).await, ok("http is stopped"));
        let refused = get(&app.http, "/").await.expect_err("nobody listens");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        for other in ["db", "cache", "worker"] {
            let running = ok(&format!("{other} is running"));
            assert_eq!(app.admin(other, "restart").await, running);
        }
        let refused = get(&app.http, "/").await.expect_err("nobody listens");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(app.admin("http", "start").await, ok("http is running"));
        assert_eq!(app.value().await.0, 200);
    }
    assert_eq!(app.admin("http", "restart").await, ok("http is running"));
    assert_eq!(app.value().await.0, 200);
    for other in ["db", "cache", "worker", "ticker"] {
        for action in ["kill", "start", "restart", "stop", "start"] {
            let state = if matches!(action, "kill" | "stop") {
                "stopped"
            } else {
                "running"
            };
            let answer = ok(&format!("{other} is {state}"));
            assert_eq!(app.asks(other, action).await, answer, "{action}");
        }
    }
    app.end().await;
}

#[tokio::test]
async fn the_tree_shows_that_the_worker_fails_and_is_restarted() {
    let mut app = Application::start().await;
    let backoff = [
        "├─ worker ",
        "backoff",
        "attempt ",
        " in ",
        "job 3 has failed",
    ];
    app.shows(&backoff).await;
    app.shows(&["worker begins: cycle 1, attempt "]).await;
    app.shows(&backoff).await;

    assert_eq!(app.asks("worker", "kill").await, ok("worker is stopped"));
    app.shows(&["├─ worker ", "stopped"]).await;
    assert_eq!(app.asks("worker", "start").await, ok("worker is running"));
    app.shows(&["worker begins: cycle 2, attempt 1"]).await;
    app.shows(&["├─ worker ", "running"]).await;
    app.end().await;
}

#[tokio::test]
async fn a_member_that_was_killed_does_not_hold_up_the_end() {
    let app = Application::start().await;
    for name in ["db", "worker", "http"] {
        assert_eq!(
            app.admin(name, "kill").await,
            ok(&format!("{name} is stopped"))
        );
    }
    app.end().await;
}

#[tokio::test]
async fn the_endpoint_says_what_it_cannot_do() {
    let app = Application::start().await;
    let unknown = (404, "no such member\n".to_owned());
    assert_eq!(app.admin("mail", "stop").await, unknown);
    let unknown = (404, "start, stop, restart or kill\n".to_owned());
    assert_eq!(app.admin("db", "drop").await, unknown);
    assert_eq!(app.admin("admin", "stop").await.0, 409);
    app.end().await;
}

impl Application {
    async fn start() -> Self {
        let mut program = Program::start(built("14_application"), &[]);
        let (mut printed, mut admin, mut http) = (VecDeque::new(), None, None);
        let mut works = false;
        while admin.is_none() || http.is_none() || !works {
            let line = program.line().await;
            let addr = |start: &str| line.strip_prefix(start).map(str::to_owned);
            admin = admin.or_else(|| addr("admin on http://"));
            http = http.or_else(|| addr("listening on http://"));
            works |= line.starts_with("worker begins");
            printed.push_back(line);
        }
        let (admin, http) = admin.zip(http).expect("both are there");
        Self {
            program,
            printed,
            admin,
            http,
        }
    }

    /// The next line that it prints with all of these in it.
    async fn shows(&mut self, parts: &[&str]) -> String {
        in_time(async {
            loop {
                let line = match self.printed.pop_front() {
                    Some(line) => line,
                    None => self.program.line().await,
                };
                if parts.iter().all(|part| line.contains(part)) {
                    return line;
                }
            }
        })
        .await
    }

    async fn value(&self) -> Answer {
        get(&self.http, "/value").await.expect("the server is up")
    }

    async fn admin(&self, member: &str, action: &str) -> Answer {
        let path = format!("/admin/{member}/{action}");
        request(&self.admin, "POST", &path)
            .await
            .expect("the endpoint is up")
    }

    /// Has something done to a member, while the server answers all the time.
    async fn asks(&self, member: &str, action: &str) -> Answer {
        let probe = async {
            loop {
                let answer = get(&self.http, "/").await.expect("the server is up");
                assert_eq!(answer, ok("hello"));
                let (code, _) = self.value().await;
                assert!([200, 503].contains(&code), "{code}");
            }
        };
        let answer = tokio::select! {
            answer = self.admin(member, action) => answer,
            never = probe => never,
        };
        assert_eq!(
            get(&self.http, "/").await.expect("the server is up"),
            ok("hello")
        );
        answer
    }

    /// Ends it by SIGTERM, which is a clean end.
    async fn end(self) -> Ended {
        self.program.signal("TERM").await;
        let ended = self.program.end().await;
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), ""),
            "{}",
            ended.stdout
        );
        ended
    }
}

fn ok(line: &str) -> Answer {
    (200, format!("{line}\n"))
}

/// Lines that begin like this were printed in this order.
#[track_caller]
fn in_order<'a>(printed: impl IntoIterator<Item = &'a String>, starts: &[&str]) {
    let printed: Vec<&String> = printed.into_iter().collect();
    let mut rest = printed.iter();
    for start in starts {
        assert!(
            rest.any(|line| line.starts_with(start)),
            "{start}: {printed:#?}"
        );
    }
}

async fn get(addr: &str, path: &str) -> io::Result<Answer> {
    request(addr, "GET", path).await
}

/// A request on a connection of its own: the code and the body of the answer.
async fn request(addr: &str, method: &str, path: &str) -> io::Result<Answer> {
    in_time(async {
        let mut stream = TcpStream::connect(addr).await?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\
             content-length: 0\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .expect("a head comes before the body");
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok((code.expect("an answer has a code"), body.to_owned()))
    })
    .await
}

async fn in_time<F: Future>(future: F) -> F::Output {
    timeout(LIMIT, future).await.expect("it does come")
}
