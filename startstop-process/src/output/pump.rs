//! Reads what a child writes, as long as somebody of its group may write it.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use startstop_core::Context;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::awaited::Awaited;
use super::splitter::Splitter;
use super::tail::TailHandle;
use super::{Line, Sink, Stream};

/// The most that a pipe holds; more than that is not waited for at once.
const PIPE: usize = 1 << 20;

/// The most that is read before the others have their turn: lines may be short, and each costs time.
const PIECE: usize = 16 << 10;

/// How long the end waits for the lines to be handed on, where no deadline is near.
const HANDED_ON: Duration = Duration::from_secs(1);

/// How often it is asked whether the deadline has come nearer.
const TICK: Duration = Duration::from_millis(20);

/// The reading side, a task of the attempt.
pub(crate) struct Pump {
    cx: Context,
    pipes: [Option<PipeReader>; 2],
    sink: Option<Sink>,
    name: Arc<str>,
    path: Arc<str>,
    tail: TailHandle,
    awaited: Option<Awaited>,
    requests: mpsc::Receiver<oneshot::Sender<()>>,
    /// Its drop tells that this is over.
    ended: Option<oneshot::Sender<()>>,
}

struct PipeReader {
    pipe: Receiver,
    splitter: Splitter,
    stream: Stream,
}

/// The other side: when it is dropped, the pump takes what is there and ends.
#[derive(Debug)]
pub(crate) struct Pumped {
    requests: mpsc::Sender<oneshot::Sender<()>>,
    tail: TailHandle,
    ended: oneshot::Receiver<()>,
}

impl Pumped {
    /// Waits until what has been written so far is read.
    pub(crate) async fn caught_up(&self) {
        let (sender, done) = oneshot::channel();
        if self.requests.send(sender).await.is_ok() {
            let _ = done.await;
        }
    }

    /// Takes what is there, waits until it is handed on, and returns the tail.
    pub(crate) async fn finish(self) -> Vec<String> {
        let Self {
            requests,
            tail,
            ended,
        } = self;
        drop(requests);
        // The sender is never used; its drop is the event.
        let _ = ended.await;
        tail.lines()
    }

    /// Returns the tail, also after this is gone.
    pub(crate) fn tail_handle(&self) -> TailHandle {
        self.tail.clone()
    }
}

impl Pump {
    pub(crate) fn new(
        cx: &Context,
        stdout: Option<OwnedFd>,
        stderr: Option<OwnedFd>,
        sink: Option<Sink>,
        awaited: Option<Awaited>,
    ) -> io::Result<(Self, Pumped)> {
        let reader = |fd: Option<OwnedFd>, stream| {
            let pipe = fd.map(Receiver::from_owned_fd).transpose()?;
            io::Result::Ok(pipe.map(|pipe| PipeReader {
                pipe,
                splitter: Splitter::default(),
                stream,
            }))
        };
        let pipes = [
            reader(stdout, Stream::Stdout)?,
            reader(stderr, Stream::Stderr)?,
        ];
        let (sender, requests) = mpsc::channel(1);
        let tail = TailHandle::default();
        let (sender_of_end, ended) = oneshot::channel();
        let pumped = Pumped {
            requests: sender,
            tail: tail.clone(),
            ended,
        };
        Ok((
            Self {
                cx: cx.clone(),
                pipes,
                sink,
                name: cx.name().into(),
                path: cx.path().into(),
                tail,
                awaited,
                requests,
                ended: Some(sender_of_end),
            },
            pumped,
        ))
    }

    pub(crate) async fn run(mut self) {
        loop {
            let [out, err] = &self.pipes;
            tokio::select! {
                biased;
                request = self.requests.recv() => {
                    self.drain().await;
                    let Some(caught_up) = request else { break };
                    let _ = caught_up.send(());
                }
                // Both are read each time: one that is never empty must not keep the other from being read.
                () = readable(out.as_ref()) => { self.read_both(); }
                () = readable(err.as_ref()) => { self.read_both(); }
            }
            // Yield, so that a child that never pauses does not starve the others.
            tokio::task::yield_now().await;
        }
        if let Some(sink) = &self.sink {
            handed_on(&self.cx, sink).await;
        }
        drop(self.ended.take());
    }

    /// Reads a piece of each, and returns whether there may be more.
    fn read_both(&mut self) -> bool {
        let more = [self.read(0), self.read(1)];
        more.contains(&true)
    }

    /// Takes what has been written so far.
    async fn drain(&mut self) {
        for _ in 0..PIPE / PIECE {
            if !self.read_both() {
                break;
            }
            tokio::task::yield_now().await;
        }
        if self.requests.is_closed() {
            for pipe in 0..2 {
                self.finish(pipe);
            }
        }
    }

    /// Reads a piece, and returns whether there may be more.
    fn read(&mut self, at: usize) -> bool {
        let mut buffer = [0; PIECE];
        let Some(reader) = &mut self.pipes[at] else {
            return false;
        };
        match reader.pipe.try_read(&mut buffer) {
            Ok(n) if n > 0 => {
                let awaited = self.awaited.take();
                self.awaited = awaited.and_then(|awaited| awaited.look(at, &buffer[..n]));
                let (stream, mut lines) = (reader.stream, Vec::new());
                reader.splitter.push(&buffer[..n], |line| lines.push(line));
                for line in lines {
                    self.line(stream, line);
                }
                return true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return true,
            Ok(_) | Err(_) => self.finish(at),
        }
        false
    }

    /// Nothing more is read from it.
    fn finish(&mut self, at: usize) {
        let Some(mut reader) = self.pipes[at].take() else {
            return;
        };
        let (stream, mut last) = (reader.stream, None);
        reader.splitter.finish(|line| last = Some(line));
        if let Some(line) = last {
            self.line(stream, line);
        }
    }

    fn line(&mut self, stream: Stream, text: String) {
        if stream == Stream::Stderr {
            self.tail.push(&text);
        }
        if let Some(sink) = &self.sink {
            let (name, path) = (self.name.clone(), self.path.clone());
            sink.push(Line {
                name,
                path,
                stream,
                text,
            });
        }
    }
}

/// Waits until the lines are handed on. A reader that takes none costs a third of the time until the deadline at most, for the end
/// of the child has to be told before that.
async fn handed_on(cx: &Context, sink: &Sink) {
    let (begin, mut flushed) = (Instant::now(), sink.flushed());
    let limit = || {
        cx.remaining()
            .map_or(HANDED_ON, |left| HANDED_ON.min(left / 2))
    };
    while begin.elapsed() < limit() {
        if timeout(TICK.min(limit()), &mut flushed).await.is_ok() {
            return;
        }
    }
}

async fn readable(reader: Option<&PipeReader>) {
    match reader {
        // The read that follows shows an error.
        Some(reader) => drop(reader.pipe.readable().await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::task::Poll;

    use rustix::io::ioctl_fionread;
    use startstop_core::{Context, Runner, once};
    use tokio::net::unix::pipe::pipe;

    use super::{PIECE, Pump};

    /// A line may be one byte: a poll that handles many of them holds up all that share its thread.
    #[tokio::test]
    async fn a_poll_reads_a_piece_of_what_is_there() {
        Runner::new(once(looks)).start().await.unwrap();
    }

    async fn looks(cx: Context) {
        let (writer, reader) = pipe().unwrap();
        writer.writable().await.unwrap();
        let written = writer.try_write(&vec![b'\n'; 1 << 20]).unwrap();
        assert!(written > PIECE);
        let reader = reader.into_nonblocking_fd().unwrap();
        let look = reader.try_clone().unwrap();
        let (pump, _pumped) = Pump::new(&cx, Some(reader), None, None, None).unwrap();
        let mut pump = pin!(pump.run());
        let mut left = written as u64;
        while left > 0 {
            let poll_once = poll_fn(|task| {
                assert!(pump.as_mut().poll(task).is_pending());
                Poll::Ready(())
            });
            poll_once.await;
            let now = ioctl_fionread(&look).unwrap();
            assert!(left - now <= PIECE as u64, "{left} are {now}");
            left = now;
            tokio::task::yield_now().await;
        }
    }
}
