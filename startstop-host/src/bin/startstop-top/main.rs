//! `startstop-top ADDR`: the tree of a program in a terminal, live, by its admin port; and what else there is to ask of it.

mod draw;
mod http;
mod tree;

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use http::AdminPort;
use serde_json::Value;

const USAGE: &str = "\
usage: startstop-top ADDR                                     the tree, live, until Ctrl-C
       startstop-top ADDR status                              the tree once; exit code 1 if it is not ready
       startstop-top ADDR events                              what happens, a line each
       startstop-top ADDR start|stop|restart|reload PATH      by the token in STARTSTOP_TOKEN

ADDR is that of the admin port: 127.0.0.1:9100, or a port of this machine alone";

/// How often it is drawn although nothing happens.
const PERIOD: Duration = Duration::from_secs(1);
/// How long what happens at once is collected.
const MOMENT: Duration = Duration::from_millis(50);
/// The exit code of a mistake in the arguments, or of a program that does not answer.
const NO_ANSWER: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match *arguments {
        ["-h" | "--help"] => say(USAGE).map(|()| ExitCode::SUCCESS),
        [addr] if io::stdout().is_terminal() => live(&AdminPort::at(addr)),
        [addr] | [addr, "status"] => status(&AdminPort::at(addr)),
        [addr, "events"] => events(&AdminPort::at(addr)),
        [
            addr,
            action @ ("start" | "stop" | "restart" | "reload"),
            path,
        ] => control(&AdminPort::at(addr), action, path),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, USAGE)),
    };
    done.unwrap_or_else(|error| {
        // A reader that stops early, as `head` does, is no error.
        if error.kind() == io::ErrorKind::BrokenPipe {
            return ExitCode::SUCCESS;
        }
        let text = error.to_string();
        text.lines()
            .for_each(|line| drop(writeln!(io::stderr(), "{}", draw::plain(line))));
        ExitCode::from(NO_ANSWER)
    })
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

fn status(server: &AdminPort) -> io::Result<ExitCode> {
    let tree = server.status()?;
    say(&draw::tree(&tree))?;
    Ok(if tree[0].1["ready"] == true {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn events(server: &AdminPort) -> io::Result<ExitCode> {
    for event in server.events()? {
        say(&draw::event(&event?))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn control(server: &AdminPort, action: &str, path: &str) -> io::Result<ExitCode> {
    let token = env::var("STARTSTOP_TOKEN").unwrap_or_default();
    say(&draw::plain(
        server.control(action, path, &token)?.trim_end(),
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Draws when something happens, and each second, until the program is gone.
fn live(server: &AdminPort) -> io::Result<ExitCode> {
    let happens = listen(server);
    let mut out = io::stdout();
    loop {
        let page = match server.status() {
            Ok(tree) => draw::tree(&tree),
            Err(error) => draw::plain(&error.to_string()),
        };
        write!(out, "{}", draw::over(&page))?;
        out.flush()?;
        match happens.recv_timeout(PERIOD) {
            Ok(()) => thread::sleep(MOMENT),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => thread::sleep(PERIOD),
        }
        while happens.try_recv().is_ok() {}
    }
}

/// Tells that something happens, again after the program was away.
fn listen(server: &AdminPort) -> Receiver<()> {
    let (tell, happens) = sync_channel(1);
    let server = server.clone();
    thread::spawn(move || {
        loop {
            let events = server.events().into_iter().flatten();
            let heard = events
                .take_while(Result::is_ok)
                .try_for_each(|_: io::Result<Value>| {
                    // A full channel is fine: the notice in it says the same.
                    match tell.try_send(()) {
                        Err(std::sync::mpsc::TrySendError::Disconnected(())) => Err(()),
                        _ => Ok(()),
                    }
                });
            if heard.is_err() {
                return;
            }
            thread::sleep(PERIOD);
        }
    });
    happens
}
