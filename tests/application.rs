//! The application among the examples: it is asked over HTTP while its members are stopped and restarted.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::child::{Ended, Program};
use crate::examples::built;

/// After this time an event is taken never to come.
const LIMIT: Duration = Duration::from_secs(30);

/// The example, once it listens.
struct Application {
    program: Program,
    /// Printed lines that nobody has looked at yet.
    printed: VecDeque<String>,
    admin: String,
    http: String,
}

type Answer = (u16, String);

#[tokio::test]
async fn members_begin_after_what_they_need_and_end_before_it() {
    let app = Application::start().await;
    let begun = [
        "db starting",
        "migrate starting",
        "migrate stopped: completed",
        "http starting",
    ];
    in_order(&app.printed, &begun);
    in_order(&app.printed, &["cache ready", "http starting"]);
    assert_eq!(app.value().await, ok("hello from the database"));

    let (http, admin) = (app.http.clone(), app.admin.clone());
    let ended = app.end().await;
    let lines: Vec<String> = ended.stdout.lines().map(str::to_owned).collect();
    in_order(&lines, &["http stopped", "cache stopped", "db stopped"]);
    in_order(&lines, &["worker stopped"]);
    assert!(ended.stdout.contains("all is down"));
    for addr in [http, admin] {
        drop(TcpListener::bind(addr).await.expect("the port is free"));
    }
}

#[tokio::test]
async fn without_the_database_requests_are_answered_that_there_is_no_value() {
    let mut app = Application::start().await;
    assert_eq!(app.value().await, ok("hello from the database"));
    for _ in 0..2 {
        app.asks("stop", "db", &["db stopped"]).await;
        let down = (503, "the database is down\n".to_owned());
        assert_eq!(app.value().await, down);
        app.asks("start", "db", &["db ready"]).await;
        // The database is elsewhere now; the cached value is still true.
        assert_eq!(app.value().await, ok("hello from the cache"));
    }
    app.asks("restart", "db", &["db stopped", "db ready"]).await;
    assert_eq!(app.value().await, ok("hello from the cache"));
    app.end().await;
}

#[tokio::test]
async fn without_the_cache_the_database_is_asked() {
    let mut app = Application::start().await;
    assert_eq!(app.value().await, ok("hello from the database"));
    assert_eq!(app.value().await, ok("hello from the cache"));
    app.asks("stop", "cache", &["cache stopped"]).await;
    for _ in 0..2 {
        assert_eq!(app.value().await, ok("hello from the database"));
    }
    let again = [
        ("start", "cache", &["cache ready"] as &[_]),
        ("restart", "cache", &["cache stopped", "cache ready"]),
        ("reload", "cache", &["cache reloaded"]),
        // The cached value is out of date.
        ("start", "migrate", &["migrate stopped: completed"]),
    ];
    for (action, member, shows) in again {
        app.control(action, member, shows).await;
        assert_eq!(app.value().await, ok("hello from the database"), "{action}");
        assert_eq!(app.value().await, ok("hello from the cache"));
    }
    // The program as a whole reloads; services without support for it are passed over.
    app.program.signal("HUP").await;
    app.shows("cache reloaded").await;
    assert_eq!(app.value().await, ok("hello from the database"));
    app.end().await;
}

#[tokio::test]
async fn connections_are_refused_only_while_the_server_is_down() {
    let mut app = Application::start().await;
    app.control("stop", "http", &["http stopped"]).await;
    for other in ["db", "cache"] {
        let restarts = [format!("{other} stopped"), format!("{other} ready")];
        app.control("restart", other, &restarts).await;
        let refused = get(&app.http, "/").await.expect_err("nobody listens");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
    app.control("start", "http", &["http ready"]).await;
    assert_eq!(app.value().await.0, 200);
    app.control("restart", "http", &["http stopped", "http ready"])
        .await;
    assert_eq!(app.value().await.0, 200);
    for other in ["db", "cache"] {
        let (stopped, ready) = (format!("{other} stopped"), format!("{other} ready"));
        app.asks("stop", other, &[&stopped]).await;
        app.asks("start", other, &[&ready]).await;
        app.asks("restart", other, &[&stopped, &ready]).await;
    }
    app.end().await;
}

#[tokio::test]
async fn the_status_shows_that_the_worker_fails_and_is_restarted() {
    let mut app = Application::start().await;
    app.shows("worker failed in run: job 3 has failed").await;
    app.shows("worker backoff: attempt 2 in 1.5s").await;
    app.shows("worker ready").await;
    let (_, parts) = app
        .answers("/readyz?verbose", |(code, parts)| {
            *code == 503 && parts.contains("[-]app/worker failed")
        })
        .await;
    assert!(parts.contains("[+]app/db ok"), "{parts}");
    app.asks("stop", "worker", &["worker stopped"]).await;
    app.answers("/readyz", |(code, _)| *code == 200).await;
    app.end().await;
}

#[tokio::test]
async fn the_port_for_operators_says_what_it_cannot_do() {
    let app = Application::start().await;
    for path in ["/control/stop/app/mail", "/control/drop/app/db"] {
        let answer = request(&app.admin, "POST", path, TOKEN).await;
        assert_eq!(answer.unwrap().0, 404, "{path}");
    }
    let answer = request(&app.admin, "POST", "/control/stop/app/db", "").await;
    assert_eq!(answer.unwrap().0, 401);
    app.end().await;
}

const TOKEN: &str = "authorization: Bearer letmein\r\n";

impl Application {
    async fn start() -> Self {
        let mut program = Program::start(built("14_application"), &[]);
        let (mut printed, mut admin, mut http) = (VecDeque::new(), None, None);
        let mut is_ready = false;
        while admin.is_none() || http.is_none() || !is_ready {
            let line = program.line().await;
            let addr = |start: &str| line.strip_prefix(start).map(str::to_owned);
            admin = admin.or_else(|| addr("admin on http://"));
            http = http.or_else(|| addr("listening on http://"));
            is_ready |= line.starts_with("app ready");
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

    /// Waits until it prints that of a member.
    async fn shows(&mut self, start: &str) {
        let start = format!("app/{start}");
        in_time(async {
            loop {
                let line = match self.printed.pop_front() {
                    Some(line) => line,
                    None => self.program.line().await,
                };
                if line.starts_with(&start) {
                    return;
                }
            }
        })
        .await;
    }

    async fn value(&self) -> Answer {
        get(&self.http, "/value").await.expect("the server is up")
    }

    /// Asks the port for operators until the answer is so: the application is ready, or not, a moment after what its members
    /// have told.
    async fn answers(&self, path: &str, is_so: impl Fn(&Answer) -> bool) -> Answer {
        let mut last = None;
        let asked = timeout(LIMIT, async {
            loop {
                let answer = get(&self.admin, path).await.expect("it answers");
                if is_so(&answer) {
                    return answer;
                }
                last = Some(answer);
            }
        });
        let asked = asked.await;
        asked.unwrap_or_else(|_| panic!("{path} has answered at last: {last:?}"))
    }

    /// Sends an action for a member, and waits until it shows these, one after another.
    async fn control(&mut self, action: &str, member: &str, shows: &[impl AsRef<str>]) {
        // Lines printed so far belong to earlier steps.
        self.printed.clear();
        let path = format!("/control/{action}/app/{member}");
        let answer = request(&self.admin, "POST", &path, TOKEN).await;
        assert_eq!(answer.expect("the port is there").0, 202, "{path}");
        for start in shows {
            self.shows(start.as_ref()).await;
        }
    }

    /// The same, while the server answers all the time.
    async fn asks(&mut self, action: &str, member: &str, shows: &[impl AsRef<str>]) {
        let http = self.http.clone();
        let probe = async {
            loop {
                let answer = get(&http, "/").await.expect("the server is up");
                assert_eq!(answer, ok("hello"));
                let (code, _) = get(&http, "/value").await.expect("the server is up");
                assert!([200, 503].contains(&code), "{code}");
            }
        };
        tokio::select! {
            () = self.control(action, member, shows) => {}
            never = probe => never,
        }
        let answer = get(&self.http, "/").await.expect("the server is up");
        assert_eq!(answer, ok("hello"));
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

/// Members have told these in this order.
#[track_caller]
fn in_order<'a>(printed: impl IntoIterator<Item = &'a String>, starts: &[&str]) {
    let printed: Vec<&String> = printed.into_iter().collect();
    let mut rest = printed.iter();
    for start in starts {
        let start = format!("app/{start}");
        let found = rest.any(|line| line.starts_with(&start));
        assert!(found, "{start}: {printed:#?}");
    }
}

async fn get(addr: &str, path: &str) -> io::Result<Answer> {
    request(addr, "GET", path, "").await
}

/// A request on a connection of its own: the code and the body of the answer.
async fn request(addr: &str, method: &str, path: &str, headers: &str) -> io::Result<Answer> {
    in_time(async {
        let mut stream = TcpStream::connect(addr).await?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\
             {headers}content-length: 0\r\n\r\n"
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
