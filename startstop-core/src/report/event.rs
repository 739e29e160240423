//! The events of a service and of its parts, as a stream.

mod kind;
mod queue;
mod reader;
#[cfg(feature = "serde")]
mod serialize;

use std::fmt;
use std::time::SystemTime;

use crate::report::path::Path;
use crate::report::text::Escaped;

pub use kind::EventKind;
pub(crate) use queue::{EventQueue, Evicted, Pushed};
pub use reader::Events;

/// Something that happened to a service, from [`Runner::events`](crate::Runner::events).
///
/// `Display` writes one line. With the feature `serde` an event is an object that fits into one line of JSON: `path`, `cycle`,
/// `attempt`, `at`, `event` (the name of the kind, as `ready`), and beside them the fields of the kind: `after`, `reason`,
/// `exit` and `ran`, `failure`, `delay` and `next_attempt`, `unresponsive`, `result` and `failure`, or `count`.
///
/// # Examples
///
/// ```
/// use startstop_core::{EventKind, Runner, once};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(once(async |cx| cx.report("row 7 is odd")));
/// let mut events = runner.events();
/// runner.start().await.unwrap();
///
/// let first = events.next().await.unwrap();
/// assert!(matches!(first.kind(), EventKind::Starting));
/// assert_eq!((first.path(), first.cycle(), first.attempt()), ("main", 1, 1));
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Event {
    pub(crate) path: Path,
    pub(crate) cycle: u64,
    pub(crate) attempt: u64,
    pub(crate) at: SystemTime,
    pub(crate) kind: EventKind,
}

impl Event {
    /// Returns the path of the service: the names from the outermost owner down, as `app/db`.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, Settings, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::with_settings(once(async |_cx| ()), Settings::new().name("import"));
    /// let mut events = runner.events();
    /// runner.start().await.unwrap();
    /// assert_eq!(events.next().await.unwrap().path(), "import");
    /// # }
    /// ```
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// Returns the cycle, from 1; 0 before the first.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| ()));
    /// let mut events = runner.events();
    /// runner.start().await.unwrap();
    /// assert_eq!(events.next().await.unwrap().cycle(), 1);
    /// # }
    /// ```
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Returns the attempt within the cycle, from 1; 0 before the first. [`Starting`](EventKind::Starting) tells the one
    /// that begins.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| ()));
    /// let mut events = runner.events();
    /// runner.start().await.unwrap();
    /// assert_eq!(events.next().await.unwrap().attempt(), 1);
    /// # }
    /// ```
    pub fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Returns the time of the event, by the system's clock.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Runner, once};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| ()));
    /// let mut events = runner.events();
    /// runner.start().await.unwrap();
    /// assert!(events.next().await.unwrap().at() <= std::time::SystemTime::now());
    /// # }
    /// ```
    pub fn at(&self) -> SystemTime {
        self.at
    }

    /// Returns the kind of the event.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{EventKind, Runner, once};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let runner = Runner::new(once(async |_cx| ()));
    /// let mut events = runner.events();
    /// runner.start().await.unwrap();
    /// assert!(matches!(events.next().await.unwrap().kind(), EventKind::Starting));
    /// # }
    /// ```
    pub fn kind(&self) -> &EventKind {
        &self.kind
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Escaped(self.path()), self.kind)
    }
}
