//! The text that a child has as its standard input.

use std::convert::Infallible;
use std::io::{self, Write};
use std::process::ChildStdin;
use std::sync::Arc;

use startstop_core::Context;
use tokio::net::unix::pipe::Sender;
use tokio::sync::oneshot;

use super::{Process, Stdin};

/// The most that is written at once: any pipe takes that.
const AT_ONCE: usize = 4096;

/// Its drop ends the task that writes: somebody who has left the group may hold the pipe and never read it.
pub(super) struct Feeding {
    _ends: oneshot::Sender<Infallible>,
}

/// Writes the input of a child. What does not fit into the pipe at once is written by a task of the attempt.
pub(super) fn feed(
    process: &Process,
    cx: &Context,
    pipe: Option<ChildStdin>,
) -> io::Result<Option<Feeding>> {
    let (Stdin::Text(text), Some(mut pipe)) = (&process.stdin, pipe) else {
        return Ok(None);
    };
    if text.len() <= AT_ONCE {
        // Errors of the pipe are ignored: a child need not read its input.
        let _ = pipe.write_all(text);
        return Ok(None);
    }
    let pipe = Sender::from_owned_fd(pipe.into())?;
    let (ends, ended) = oneshot::channel();
    let text = text.clone();
    cx.spawn(async move {
        tokio::select! {
            biased;
            // Nothing is ever sent; the drop of the other side is the event.
            _ = ended => {}
            () = write(&pipe, text) => {}
        }
    });
    Ok(Some(Feeding { _ends: ends }))
}

async fn write(pipe: &Sender, text: Arc<[u8]>) {
    let mut left = &*text;
    while !left.is_empty() && pipe.writable().await.is_ok() {
        match pipe.try_write(left) {
            Ok(written) => left = &left[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
