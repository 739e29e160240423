//! Connections of both kinds, kept for as long as the server keeps them.

use std::error::Error;
use std::io::ErrorKind;

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::clients::LENGTH;

#[derive(Clone, Copy)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    Whole,
    /// Not even by its first byte.
    NotAsked,
    Refused,
    /// Before the first byte of an answer.
    Closed,
    Cut,
}

pub(super) enum Connection {
    Http1(TcpStream),
    Http2(SendRequest<Empty<Bytes>>),
}

/// With the connection, if it is kept.
type Asked = (Answered, Option<Connection>);

impl Connection {
    pub(super) async fn open(protocol: Protocol, port: u16) -> Result<Self, Answered> {
        let stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .map_err(|error| {
                let is_refusal = error.kind() == ErrorKind::ConnectionRefused;
                if is_refusal {
                    Answered::Refused
                } else {
                    Answered::Closed
                }
            })?;
        let _ = stream.set_nodelay(true);
        match protocol {
            Protocol::Http1 => Ok(Self::Http1(stream)),
            Protocol::Http2 => {
                let stream = TokioIo::new(stream);
                let shaken = handshake(TokioExecutor::new(), stream).await;
                let (sender, connection) = shaken.map_err(|_| Answered::Closed)?;
                tokio::spawn(async move { drop(connection.await) });
                Ok(Self::Http2(sender))
            }
        }
    }

    pub(super) async fn ask(self) -> Asked {
        match self {
            Self::Http1(stream) => ask_http1(stream).await,
            Self::Http2(sender) => ask_http2(sender).await,
        }
    }
}

async fn ask_http1(mut stream: TcpStream) -> Asked {
    let head = b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n";
    if stream.write_all(head).await.is_err() {
        return (Answered::Closed, None);
    }
    let mut answer = Vec::with_capacity(LENGTH + 1024);
    loop {
        match stream.read_buf(&mut answer).await {
            Ok(0) | Err(_) if answer.is_empty() => return (Answered::Closed, None),
            Ok(0) | Err(_) => return (Answered::Cut, None),
            Ok(_) => {}
        }
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        if answer.len() == end + 4 + LENGTH {
            let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
            assert!(head.starts_with("http/1.1 200"), "{head}");
            let closes = head.contains("connection: close");
            return (
                Answered::Whole,
                (!closes).then_some(Connection::Http1(stream)),
            );
        }
    }
}

async fn ask_http2(mut sender: SendRequest<Empty<Bytes>>) -> Asked {
    let request = Request::get("http://shop/").body(Empty::new()).unwrap();
    let response = match sender.try_send_request(request).await {
        Ok(response) => response,
        Err(error) => return (unanswered(error), None),
    };
    assert_eq!(response.status(), 200);
    let Ok(body) = response.into_body().collect().await else {
        return (Answered::Cut, None);
    };
    assert_eq!(body.to_bytes().len(), LENGTH);
    // It is told of a connection that goes away before it asks again.
    let is_kept = !sender.is_closed() && sender.ready().await.is_ok();
    (
        Answered::Whole,
        is_kept.then_some(Connection::Http2(sender)),
    )
}

/// A connection that was told to go away sends nothing any more, and what it has sent before is answered: so a request that it
/// refuses has not left this client, and is for another one. Where hyper does not hand it back, the error says so.
fn unanswered(mut error: TrySendError<Request<Empty<Bytes>>>) -> Answered {
    if error.take_message().is_some() {
        return Answered::NotAsked;
    }
    let error = error.into_error();
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<h2::Error>());
    let is_told = cause.is_some_and(|error| {
        error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR)
    });
    if is_told {
        Answered::NotAsked
    } else {
        Answered::Closed
    }
}
