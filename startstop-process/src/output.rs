//! The destinations of the lines that a child writes.

mod colour;
mod awaited;
mod pump;
mod sink;
mod teller;
mod splitter;
mod tail;

use std::fmt;
use std::sync::Arc;

pub(crate) use awaited::Awaited;
pub(crate) use pump::{Pump, Pumped};
pub(crate) use sink::{Sink, Sinks};
pub(crate) use tail::TailHandle;

/// Which of its two streams a child has written to.
///
/// # Examples
///
/// ```
/// # use startstop_core::{Readiness, Runner, Settings};
/// use startstop_process::{Output, Process, Stream};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (sender, lines) = std::sync::mpsc::channel();
/// let warns = Process::new("sh").args(["-c", "echo careful >&2"]);
/// let warns = warns.output(Output::lines(move |line| drop(sender.send(line))));
/// # let job = Settings::new().readiness(Readiness::Completion);
/// # Runner::with_settings(warns, job).start().await.unwrap();
/// let line = lines.recv().unwrap();
/// assert_eq!((line.stream, line.text.as_str(), &*line.name), (Stream::Stderr, "careful", "sh"));
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// The standard output.
    Stdout,
    /// The standard error.
    Stderr,
}

/// A line that a child has written, without its end. What is no UTF-8 in it is replaced; one of more than
/// 64 KB comes in pieces of at most that.
///
/// # Examples
///
/// See [`Stream`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The name of the service.
    pub name: Arc<str>,
    /// The path of the process in what has started it, as `app/redis`.
    pub path: Arc<str>,
    /// The stream that it was written to.
    pub stream: Stream,
    /// The text.
    pub text: String,
}

/// The destination of the output of a [`Process`](crate::Process).
///
/// A child is never held up by a slow reader: lines are read as they come and handed on by a thread. Where
/// that falls behind by more than 1 MB or 65,536 lines, the oldest lines are left out, and a line says how many.
///
/// # Examples
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use startstop_core::{Readiness, Runner, Settings};
/// use startstop_process::{Output, Process};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let lines = Arc::new(Mutex::new(Vec::new()));
/// let seen = lines.clone();
/// let hello = Process::new("echo").arg("hello").output(Output::lines(move |line| {
///     seen.lock().unwrap().push(line.text);
/// }));
/// let settings = Settings::new().readiness(Readiness::Completion);
/// Runner::with_settings(hello, settings).start().await.unwrap();
/// assert_eq!(*lines.lock().unwrap(), ["hello"]);
/// # }
/// ```
#[derive(Clone)]
pub struct Output(pub(crate) OutputKind);

#[derive(Clone)]
pub(crate) enum OutputKind {
    Inherit,
    Null,
    /// Standard output is inherited, standard error is handed on line by line.
    Plain,
    Terminal,
    #[cfg(feature = "tracing")]
    Tracing,
    Lines(Arc<dyn Fn(Line) + Send + Sync>),
}

impl Output {
    /// Lets the child write where this process does. Its errors have no tail of standard error then.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Readiness, Runner, Settings};
    /// # use startstop_process::{Output, Process};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let hello = Process::new("echo").arg("hello").output(Output::inherit());
    /// let job = Settings::new().readiness(Readiness::Completion);
    /// assert!(Runner::with_settings(hello, job).start().await.is_ok());
    /// # }
    /// ```
    pub fn inherit() -> Self {
        Self(OutputKind::Inherit)
    }

    /// Shows nothing. Errors have the tail all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Runner;
    /// # use startstop_process::{Output, Process};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let fails = Process::new("sh").args(["-c", "echo no luck >&2; exit 3"]);
    /// let runner = Runner::new(fails.output(Output::null()));
    /// let _ = runner.start().await;
    /// runner.wait().await;
    /// let failure = runner.errors_last().unwrap();
    /// assert_eq!(failure.error().to_string(), "exited with code 3: no luck");
    /// # }
    /// ```
    pub fn null() -> Self {
        Self(OutputKind::Null)
    }

    /// Lines to standard output and standard error, each behind the name of the service, in a colour
    /// of its own where that is a terminal and `NO_COLOR` is not set.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Readiness, Runner, Settings};
    /// # use startstop_process::{Output, Process};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let hello = Process::new("echo").arg("hello").output(Output::terminal());
    /// let job = Settings::new().readiness(Readiness::Completion);
    /// assert!(Runner::with_settings(hello, job).start().await.is_ok());
    /// # }
    /// ```
    pub fn terminal() -> Self {
        Self(OutputKind::Terminal)
    }

    /// Lines as events of `tracing`, with the fields `service`, which is its path as `app/redis`, and `stream`: INFO for
    /// standard output, WARN for standard error. They are told to the subscriber that the attempt has, in its span.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_process::Output;
    ///
    /// assert_eq!(format!("{:?}", Output::tracing()), "Output::tracing");
    /// ```
    #[cfg(feature = "tracing")]
    pub fn tracing() -> Self {
        Self(OutputKind::Tracing)
    }

    /// Lines to a function, which is called on a thread of the service.
    ///
    /// # Examples
    ///
    /// See [`Output`].
    pub fn lines(f: impl Fn(Line) + Send + Sync + 'static) -> Self {
        Self(OutputKind::Lines(Arc::new(f)))
    }
}

/// Standard output as it is, standard error line by line.
impl Default for Output {
    fn default() -> Self {
        Self(OutputKind::Plain)
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            OutputKind::Inherit => "Output::inherit",
            OutputKind::Null => "Output::null",
            OutputKind::Plain => "Output::default",
            OutputKind::Terminal => "Output::terminal",
            #[cfg(feature = "tracing")]
            OutputKind::Tracing => "Output::tracing",
            OutputKind::Lines(_) => "Output::lines",
        })
    }
}
