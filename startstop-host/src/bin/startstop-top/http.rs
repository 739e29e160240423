//! The few requests that there are, by HTTP/1.0, whose answers end with the connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value;

use super::tree::{self, StatusAt};

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(10);

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
        tree::read(&body).map_err(|error| self.named(&error))
    }

    /// Returns the events from now on.
    pub(crate) fn events(&self) -> io::Result<impl Iterator<Item = io::Result<Value>> + use<>> {
        let body = self.ask("GET", "/events", "")?;
        // Events may be far apart, so reads must not time out.
        body.get_ref().set_read_timeout(None)?;
        let event = |line: io::Result<String>| {
            let json = line
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
        read.map_err(|error| self.named(&error))?;
        Ok(body)
    }

    /// Returns an error that says whom it is of. Of what kind it was tells no more: a broken pipe would be that of stdout.
    fn named(&self, error: &io::Error) -> io::Error {
        use io::ErrorKind::{TimedOut, WouldBlock};
        let late = matches!(error.kind(), TimedOut | WouldBlock);
        let text = if late {
            format!("no answer within {LIMIT:?}")
        } else {
            error.to_string()
        };
        io::Error::other(format!("{}: {text}", self.addr))
    }

    /// Returns the body of an answer that is a success.
    fn ask(&self, method: &str, path: &str, headers: &str) -> io::Result<BufReader<TcpStream>> {
        self.try_ask(method, path, headers)
            .map_err(|error| self.named(&error))
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
    use super::{AdminPort, encoded};

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
