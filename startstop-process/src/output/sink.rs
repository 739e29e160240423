//! Hands lines on, on a thread of its own, and never lets who brings them wait.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use tokio::sync::oneshot;

use super::colour::colour_of;
use super::teller::Teller;
use super::{Line, OutputKind, Stream};

/// How many bytes of lines wait at most, and how many lines: an empty one takes memory too.
const MOST: usize = 1 << 20;
const MOST_LINES: usize = 1 << 16;

/// Clones bring lines to the same thread, which ends with the last of them.
#[derive(Clone)]
pub(crate) struct Sink(Arc<Owner>);

/// Closes the queue.
struct Owner {
    queue: Arc<Queue>,
    teller: Arc<Teller>,
}

/// The threads of the sinks of one process. A reader that does not return keeps its thread, and the next attempt gets that one, so
/// that there are never more threads than attempts at the same time.
#[derive(Clone, Default)]
pub(crate) struct Sinks(Arc<Mutex<Vec<Weak<Queue>>>>);

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
    /// Whether it has an owner.
    owned: bool,
    /// Whether its thread has left.
    left: bool,
}

enum Entry {
    Line(Line, Arc<Teller>),
    Flush(oneshot::Sender<()>),
}

impl Sinks {
    /// Returns a sink whose thread is one without an owner, or a new one.
    pub(crate) fn start(&self, kind: OutputKind) -> io::Result<Sink> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues.retain(|queue| queue.strong_count() > 0);
        let mut known = queues.iter().filter_map(Weak::upgrade);
        if let Some(queue) = known.find(|queue| queue.take_over()) {
            return Ok(Sink::of(queue));
        }
        let sink = Sink::start(kind)?;
        queues.push(Arc::downgrade(&sink.0.queue));
        Ok(sink)
    }
}

impl Sink {
    pub(crate) fn start(kind: OutputKind) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        queue.lock().owned = true;
        let owner = Self::of(queue.clone());
        thread::Builder::new()
            .name("startstop-output".into())
            .spawn(move || queue.serve(&kind))?;
        Ok(owner)
    }

    fn of(queue: Arc<Queue>) -> Self {
        let teller = Arc::new(Teller::here());
        Self(Arc::new(Owner { queue, teller }))
    }

    pub(crate) fn push(&self, line: Line) {
        let Owner { queue, teller } = &*self.0;
        let mut inner = queue.lock();
        inner.bytes += line.text.len();
        inner.entries.push_back(Entry::Line(line, teller.clone()));
        while inner.is_over() && inner.drop_oldest() {}
        queue.filled.notify_one();
    }

    /// Resolves when what was pushed before has been handed on.
    pub(crate) fn flushed(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let queue = &self.0.queue;
        queue.lock().entries.push_back(Entry::Flush(sender));
        queue.filled.notify_one();
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
            .position(|entry| matches!(entry, Entry::Line(..)))
        else {
            return false;
        };
        if let Some(Entry::Line(line, _)) = self.entries.remove(at) {
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

    /// Gives it an owner, if it has none and its thread is still there.
    fn take_over(&self) -> bool {
        let mut inner = self.lock();
        let is_free = !inner.owned && !inner.left;
        if is_free {
            inner.owned = true;
            let is_awaited =
                |entry: &Entry| !matches!(entry, Entry::Flush(told) if told.is_closed());
            inner.entries.retain(is_awaited);
        }
        is_free
    }

    fn serve(&self, kind: &OutputKind) {
        while let Some((entry, left_out)) = self.next() {
            match entry {
                Entry::Line(line, teller) => {
                    if left_out > 0 {
                        let text = format!("[{left_out} lines are left out here]");
                        let line = Line {
                            text,
                            ..line.clone()
                        };
                        teller.tell(|| guarded(kind, line));
                    }
                    teller.tell(|| guarded(kind, line));
                }
                Entry::Flush(told) => drop(told.send(())),
            }
        }
    }

    fn next(&self) -> Option<(Entry, u64)> {
        let mut inner = self.lock();
        loop {
            if let Some(entry) = inner.entries.pop_front() {
                let Entry::Line(line, _) = &entry else {
                    return Some((entry, 0));
                };
                inner.bytes -= line.text.len();
                return Some((entry, std::mem::take(&mut inner.left_out)));
            }
            if !inner.owned {
                inner.left = true;
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
        self.queue.lock().owned = false;
        self.queue.filled.notify_one();
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
            Stream::Stdout => whole(&mut io::stdout(), line.text),
            Stream::Stderr => whole(&mut io::stderr(), line.text),
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

/// One write, so that lines of several processes do not mix.
fn whole(out: &mut impl Write, mut text: String) -> io::Result<()> {
    text.push('\n');
    out.write_all(text.as_bytes())
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
