//! The few requests that there are, by HTTP/1.0, whose answers end with the connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value;

use super::tree::{self, StatusAt};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a stream of events may be silent: the server says each 15 s that it is there.
const SILENCE: Duration = Duration::from_secs(40);

/// The admin port of a program.
#[derive(Debug, Clone)]
pub(crate) struct AdminPort {
    addr: String,
}

impl AdminPort {
    /// By an address, a port alone, or the address of the page.
    pub(crate) fn at(addr: &str) -> Self {
        let addr = addr
            .strip_prefix("http://")
            .unwrap_or(addr)
            .trim_end_matches('/');
        let port = addr.strip_prefix(':').unwrap_or(addr);
        let is_port = port.parse::<u16>().is_ok();
        Self {
            addr: if is_port {
                format!("127.0.0.1:{port}")
            } else {
                addr.to_owned()
            },
        }
    }

    /// Returns the statuses of the tree from the top.
    pub(crate) fn status(&self) -> io::Result<Vec<StatusAt>> {
        let body = self.body("GET", "/status", "")?;
        tree::read(&body).map_err(|error| self.named(&error, LIMIT))
    }

    /// Returns the events from now on. A server that is gone without a word is an error.
    pub(crate) fn events(&self) -> io::Result<impl Iterator<Item = io::Result<Value>> + use<>> {
        self.events_within(SILENCE)
    }

    fn events_within(
        &self,
        silence: Duration,
    ) -> io::Result<impl Iterator<Item = io::Result<Value>> + use<>> {
        let body = self.ask("GET", "/events", "")?;
        body.get_ref().set_read_timeout(Some(silence))?;
        let server = self.clone();
        let event = move |line: io::Result<String>| {
            let json = line
                .map_err(|error| server.named(&error, silence))
                .map(|line| line.strip_prefix("data: ").map(str::to_owned))
                .transpose()?;
            Some(json.and_then(|json| Ok(serde_json::from_str(&json)?)))
        };
        Ok(body.lines().filter_map(event))
    }

    pub(crate) fn control(&self, action: &str, path: &str, token: &str) -> io::Result<String> {
        let target = format!("/control/{action}/{}", encoded(path));
        let token: String = token.chars().filter(|c| !c.is_control()).collect();
        let headers = format!("Authorization: Bearer {token}\r\nContent-Length: 0\r\n");
        self.body("POST", &target, &headers)
    }

    fn body(&self, method: &str, path: &str, headers: &str) -> io::Result<String> {
        let mut body = String::new();
        let read = self.ask(method, path, headers)?.read_to_string(&mut body);
        read.map_err(|error| self.named(&error, LIMIT))?;
        Ok(body)
    }

    /// Returns an error that says whom it is of. Of what kind it was tells no more: a broken pipe would be that of stdout.
    fn named(&self, error: &io::Error, limit: Duration) -> io::Error {
        use io::ErrorKind::{TimedOut, WouldBlock};
        let late = matches!(error.kind(), TimedOut | WouldBlock);
        let text = if late {
            format!("no answer within {limit:?}")
        } else {
            error.to_string()
        };
        io::Error::other(format!("{}: {text}", self.addr))
    }

    /// Returns the body of an answer that is a success.
    fn ask(&self, method: &str, path: &str, headers: &str) -> io::Result<BufReader<TcpStream>> {
        self.try_ask(method, path, headers)
            .map_err(|error| self.named(&error, LIMIT))
    }

    fn try_ask(&self, method: &str, path: &str, headers: &str) -> io::Result<BufReader<TcpStream>> {
        let mut stream = self.connect()?;
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\n{headers}\r\n",
            self.addr
        );
        // In one piece: whoever answers to the first one may have closed the connection before the second.
        stream.write_all(head.as_bytes())?;
        let mut answer = BufReader::new(stream);
        let mut first = String::new();
        answer.read_line(&mut first)?;
        let mut line = String::new();
        while answer.read_line(&mut line)? > 2 {
            line.clear();
        }
        if !first.starts_with("HTTP/1.") {
            return Err(io::Error::other("the answer is not that of an admin port"));
        }
        let code = first.split(' ').nth(1).unwrap_or_default();
        if code.starts_with('2') {
            return Ok(answer);
        }
        let mut body = String::new();
        answer.read_to_string(&mut body)?;
        Err(io::Error::other(format!("{code}: {}", body.trim_end())))
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for addr in self.addr.to_socket_addrs()? {
            match TcpStream::connect_timeout(&addr, LIMIT) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(LIMIT))?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Returns a path in an address.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().fold(String::new(), |text, byte| {
        if plain(byte) {
            format!("{text}{}", char::from(byte))
        } else {
            format!("{text}%{byte:02X}")
        }
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use super::{AdminPort, encoded};

    #[test]
    fn a_server_that_is_gone_without_a_word_ends_the_events_with_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap().to_string();
        let silent = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let head = "HTTP/1.0 200 OK\r\n\r\n:\n\ndata: {\"event\":\"ready\"}\n\n";
            stream.write_all(head.as_bytes()).unwrap();
            // It holds the connection until the client leaves.
            drop(stream.read_to_end(&mut Vec::new()));
        });
        let mut events = AdminPort::at(&addr)
            .events_within(Duration::from_millis(200))
            .unwrap();
        assert_eq!(events.next().unwrap().unwrap()["event"], "ready");
        let error = events.next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), format!("{addr}: no answer within 200ms"));
        drop(events);
        silent.join().unwrap();
    }

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for addr in ["9100", ":9100", "127.0.0.1:9100", "http://127.0.0.1:9100/"] {
            assert_eq!(AdminPort::at(addr).addr, "127.0.0.1:9100", "{addr}");
        }
        assert_eq!(
            AdminPort::at("shop.internal:9100").addr,
            "shop.internal:9100"
        );
    }

    #[test]
    fn a_path_is_encoded() {
        assert_eq!(encoded("shop/db 1?\r\né"), "shop/db%201%3F%0D%0A%C3%A9");
    }
}
