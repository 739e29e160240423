//! nginx: by its pid file, reload by HUP and by its own command, workers that end with their master.

use std::fs;

use startstop_process::{Process, ProcessError, Ready, Signal};

use crate::free_port::free_port;
use crate::support::{Folder, is_alive, last_error, pid_of, runner, until};

fn configure(folder: &Folder, port: u16, answer: &str) -> String {
    let pid = folder.path("pid");
    let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {};", folder.path(name)))
        .concat();
    folder.write(
        "nginx.conf",
        &format!(
            "daemon off; user root; worker_processes 2; pid {pid}; error_log stderr;\n\
             events {{}}\nhttp {{ access_log off; {temp} server {{ listen 127.0.0.1:{port}; return 200 '{answer}'; }} }}\n"
        ),
    )
}

fn nginx(config: &str) -> Process {
    Process::new("nginx").args(["-c", config, "-e", "stderr"])
}

fn ask(port: u16) -> Option<String> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split("\r\n\r\n").nth(1).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_by_its_file_and_reloads_by_hup_and_by_its_command() {
    let folder = Folder::new("nginx");
    let port = free_port();
    let config = configure(&folder, port, "one");
    let process = nginx(&config)
        .ready(Ready::file(folder.path("pid")))
        .reload_signal(Signal::HUP);
    let by_signal = runner(process.clone());
    by_signal.start().await.unwrap();
    assert_eq!(until(|| ask(port)), "one");
    configure(&folder, port, "two");
    by_signal.reload().await.unwrap();
    until(|| ask(port).filter(|answer| answer == "two"));
    by_signal.stop().await.unwrap();

    let command = ["nginx", "-c", &config, "-e", "stderr", "-s", "reload"];
    let by_command = runner(process.reload_command(command));
    by_command.start().await.unwrap();
    configure(&folder, port, "three");
    by_command.reload().await.unwrap();
    until(|| ask(port).filter(|answer| answer == "three"));
    fs::write(&config, "no configuration").unwrap();
    by_command.reload().await.unwrap_err();
    // A worker of the one before may still take a connection.
    until(|| ask(port).filter(|answer| answer == "three"));
    by_command.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn its_workers_end_although_the_master_is_killed() {
    let folder = Folder::new("nginx-killed");
    let port = free_port();
    let config = configure(&folder, port, "here");
    let runner = runner(nginx(&config).ready(Ready::tcp(format!("127.0.0.1:{port}"))));
    runner.start().await.unwrap();
    let master = until(|| pid_of(folder.path("pid")));
    let workers = until(|| {
        let children = fs::read_to_string(format!("/proc/{master}/task/{master}/children")).ok()?;
        let workers: Vec<_> = children.split_whitespace().map(str::to_owned).collect();
        (workers.len() == 2).then_some(workers)
    });
    crate::support::kill("-KILL", &master);
    runner.wait().await;
    assert!(workers.iter().all(|pid| !is_alive(pid)));
    assert!(ask(port).is_none());
}

#[tokio::test]
async fn what_it_says_of_its_configuration_is_in_the_error() {
    let folder = Folder::new("nginx-wrong");
    let config = folder.write(
        "nginx.conf",
        "daemon off;\nno_such_directive on;\nevents {}\n",
    );
    let runner = runner(nginx(&config).ready(Ready::file(folder.path("pid"))));
    runner.start().await.unwrap_err();
    last_error(&runner, |error| {
        let ProcessError::Exited { code: 1, tail } = error else {
            panic!("{error:?}")
        };
        let said = format!("unknown directive \"no_such_directive\" in {config}:2");
        assert!(
            tail.last().is_some_and(|line| line.contains(&said)),
            "{tail:?}"
        );
    });
}
