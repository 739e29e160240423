//! Hands lines on, on a thread of its own, and never lets who brings them wait.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::colour::colour_of;
use super::{Line, OutputKind, Stream};

/// How many bytes of lines wait at most, and how many lines: an empty one takes memory too.
const MOST: usize = 1 << 20;
const MOST_LINES: usize = 1 << 16;

/// Clones bring lines to the same thread, which ends with the last of them.
#[derive(Clone)]
pub(crate) struct Sink(Arc<Owner>);

/// Closes the queue.
struct Owner(Arc<Queue>);

#[derive(Default)]
struct Queue {
    inner: Mutex<Inner>,
    filled: Condvar,
}

#[derive(Default)]
struct Inner {
    entries: VecDeque<Entry>,
    bytes: usize,
    left_out: u64,
    closed: bool,
}

enum Entry {
    Line(Line),
    Flush(oneshot::Sender<()>),
}

impl Sink {
    pub(crate) fn start(kind: OutputKind) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let owner = Self(Arc::new(Owner(queue.clone())));
        let serve = move || queue.serve(&kind);
        #[cfg(feature = "tracing")]
        let serve = super::traced::as_here(serve);
        thread::Builder::new()
            .name("startstop-output".into())
            .spawn(serve)?;
        Ok(owner)
    }

    pub(crate) fn push(&self, line: Line) {
        let mut inner = self.0.0.lock();
        inner.bytes += line.text.len();
        inner.entries.push_back(Entry::Line(line));
        while inner.is_over() && inner.drop_oldest() {}
        self.0.0.filled.notify_one();
    }

    /// Resolves when what was pushed before has been handed on.
    pub(crate) fn flushed(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.0.0.lock().entries.push_back(Entry::Flush(sender));
        self.0.0.filled.notify_one();
        receiver
    }
}

impl Inner {
    fn is_over(&self) -> bool {
        self.bytes > MOST || self.entries.len() > MOST_LINES
    }

    fn drop_oldest(&mut self) -> bool {
        let Some(at) = self
            .entries
            .iter()
            .position(|entry| matches!(entry, Entry::Line(_)))
        else {
            return false;
        };
        if let Some(Entry::Line(line)) = self.entries.remove(at) {
            self.bytes -= line.text.len();
            self.left_out += 1;
        }
        true
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, kind: &OutputKind) {
        while let Some((entry, left_out)) = self.next() {
            match entry {
                Entry::Line(line) => {
                    if left_out > 0 {
                        let text = format!("[{left_out} lines are left out here]");
                        guarded(
                            kind,
                            Line {
                                text,
                                ..line.clone()
                            },
                        );
                    }
                    guarded(kind, line);
                }
                Entry::Flush(told) => drop(told.send(())),
            }
        }
    }

    fn next(&self) -> Option<(Entry, u64)> {
        let mut inner = self.lock();
        loop {
            if let Some(entry) = inner.entries.pop_front() {
                let Entry::Line(line) = &entry else {
                    return Some((entry, 0));
                };
                inner.bytes -= line.text.len();
                return Some((entry, std::mem::take(&mut inner.left_out)));
            }
            if inner.closed {
                return None;
            }
            inner = self
                .filled
                .wait(inner)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.filled.notify_one();
    }
}

/// A panic of one line must not lose those after it.
fn guarded(kind: &OutputKind, line: Line) {
    let _ = catch_unwind(AssertUnwindSafe(|| hand_on(kind, line)));
}

fn hand_on(kind: &OutputKind, line: Line) {
    // Errors are ignored: a sink without a reader is no reason to end.
    let _ = match kind {
        OutputKind::Null => Ok(()),
        // Inherited output comes here only when readiness waits for a line.
        OutputKind::Inherit | OutputKind::Plain => match line.stream {
            Stream::Stdout => writeln!(io::stdout(), "{}", line.text),
            Stream::Stderr => writeln!(io::stderr(), "{}", line.text),
        },
        OutputKind::Terminal => match line.stream {
            Stream::Stdout => prefixed(&mut io::stdout(), &line),
            Stream::Stderr => prefixed(&mut io::stderr(), &line),
        },
        #[cfg(feature = "tracing")]
        OutputKind::Tracing => {
            match line.stream {
                Stream::Stdout => {
                    tracing::info!(service = &*line.path, stream = "stdout", "{}", line.text);
                }
                Stream::Stderr => {
                    tracing::warn!(service = &*line.path, stream = "stderr", "{}", line.text);
                }
            }
            Ok(())
        }
        OutputKind::Lines(f) => {
            f(line);
            Ok(())
        }
    };
}

fn prefixed(out: &mut (impl Write + IsTerminal), line: &Line) -> io::Result<()> {
    let Line { name, text, .. } = line;
    if !out.is_terminal() || std::env::var_os("NO_COLOR").is_some() {
        return out.write_all(format!("{name} | {text}\n").as_bytes());
    }
    let colour = colour_of(name);
    out.write_all(format!("\x1b[{colour}m{name} |\x1b[0m {text}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, mpsc};

    use super::{Line, MOST_LINES, OutputKind, Sink, Stream};

    #[tokio::test]
    async fn empty_lines_that_nobody_takes_are_left_out_as_well() {
        let (gate, opened) = mpsc::channel::<()>();
        let opened = Mutex::new(opened);
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let lines = seen.clone();
        let take = move |line: Line| {
            // The first waits until the gate is opened, and from then on nobody does.
            let _ = opened.lock().unwrap().recv();
            lines.lock().unwrap().push(line.text);
        };
        let sink = Sink::start(OutputKind::Lines(Arc::new(take))).unwrap();
        for _ in 0..3 * MOST_LINES {
            sink.push(Line {
                name: "yes".into(),
                path: "yes".into(),
                stream: Stream::Stdout,
                text: String::new(),
            });
        }
        drop(gate);
        sink.flushed().await.unwrap();
        let seen = seen.lock().unwrap();
        assert!(seen.len() <= MOST_LINES + 2, "{}", seen.len());
        let told = seen
            .iter()
            .filter(|line| line.ends_with("lines are left out here]"));
        assert_eq!(told.count(), 1);
    }
}
