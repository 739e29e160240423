//! A group of processes from a file.

mod mistakes;
mod users;
mod rotated;
mod log;
mod spec;
mod lines;
mod dotenv;
mod procfile;
mod order;
mod read;
mod apply;

use std::fs;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use startstop_core::__private::{Owner, Parts, Spans};
use startstop_core::{BoxError, Context, Group, Service, Settings, Status};
use tokio::sync::mpsc;

#[cfg(feature = "run")]
pub(crate) use log::Log;
pub use mistakes::{FileError, Mistake};
use spec::{Document, Head, Spec};

/// The processes of a file, as a [`Group`].
///
/// A file whose name ends in `.toml` has a table for each process; another is a `Procfile`: lines of
/// `name: command`, each run by `sh` in the folder of the file, with the variables of a `.env` beside it and a
/// `PORT` of its own; the end of one is the end of all.
///
/// On a reload the file is read again: processes are started, stopped and restarted, but only those that have
/// changed and what depends on them. A file with mistakes changes nothing. What is new is started when all that goes has ended,
/// for it may need a port of one that goes. The answer is there when all that is new is ready; one that does not start is left
/// out again, and tried again by the next reload. A reload that comes before that is looked at at once.
///
/// # Examples
///
/// ```
/// use startstop_core::Runner;
/// use startstop_process::Processes;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let path = std::env::temp_dir().join(format!("startstop-doc-{}.toml", std::process::id()));
/// std::fs::write(&path, r#"
///     name = "desk"
///     [process.first]
///     command = ["sleep", "1000"]
///     [process.second]
///     command = "exec sleep 1000"
///     after = ["first"]
/// "#).unwrap();
/// let runner = Runner::new(Processes::from_file(&path).unwrap());
/// runner.start().await.unwrap();
/// assert_eq!(runner.service().members(), ["first", "second"]);
/// runner.stop().await.unwrap();
/// # std::fs::remove_file(path).unwrap();
/// # }
/// ```
pub struct Processes {
    group: Group,
    path: PathBuf,
    head: Head,
    /// The entries that the members are made from.
    specs: Mutex<Vec<Spec>>,
}

impl Processes {
    /// Reads a file.
    ///
    /// # Examples
    ///
    /// See [`Processes`].
    ///
    /// # Errors
    ///
    /// It cannot be read, or has mistakes: all of them.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        let document = read_document(path)?;
        let mut builder = Group::builder(document.head.name.clone());
        for spec in &document.specs {
            builder = builder.with(spec.name.clone(), spec.member());
        }
        let group = builder
            .build()
            .map_err(|error| FileError::one(path, &error))?;
        let Document { head, specs } = document;
        Ok(Self {
            group,
            path: path.to_owned(),
            head,
            specs: Mutex::new(specs),
        })
    }

    /// Returns the group that it has built.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_process::Processes;
    ///
    /// # let path = std::env::temp_dir().join(format!("startstop-group-{}.toml", std::process::id()));
    /// std::fs::write(&path, "[process.web]\ncommand = ['true']\n").unwrap();
    /// let processes = Processes::from_file(&path).unwrap();
    /// assert_eq!(processes.group().members(), ["web"]);
    /// # std::fs::remove_file(path).unwrap();
    /// ```
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// Returns the address of the admin page that the file asks for.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_process::Processes;
    ///
    /// # let path = std::env::temp_dir().join(format!("startstop-admin-{}.toml", std::process::id()));
    /// let text = "admin = '127.0.0.1:9100'\n[process.web]\ncommand = ['true']\n";
    /// std::fs::write(&path, text).unwrap();
    /// assert_eq!(Processes::from_file(&path).unwrap().admin(), Some("127.0.0.1:9100"));
    /// # std::fs::remove_file(path).unwrap();
    /// ```
    pub fn admin(&self) -> Option<&str> {
        self.head.admin.as_deref()
    }

    #[cfg(feature = "run")]
    pub(crate) fn control(&self) -> Option<spec::Control> {
        self.head.control.clone()
    }

    #[cfg(feature = "run")]
    pub(crate) const fn log(&self) -> &Log {
        &self.head.log
    }
}

fn read_document(path: &Path) -> Result<Document, FileError> {
    let bytes = fs::read(path).map_err(|source| FileError::Read {
        path: path.to_owned(),
        source,
    })?;
    let text = String::from_utf8(bytes).map_err(|error| mistakes::no_utf8(path, &error))?;
    let is_toml = path.extension().is_some_and(|end| end == "toml");
    if is_toml {
        read::toml(&text).map_err(|found| FileError::mistakes(path, &text, found))
    } else {
        procfile::read(path, &text)
    }
}

/// Values of the environment may be secret.
impl std::fmt::Debug for Processes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let members = self.group.members();
        let mut debug = f.debug_struct("Processes");
        debug
            .field("path", &self.path)
            .field("members", &members)
            .finish_non_exhaustive()
    }
}

impl Deref for Processes {
    type Target = Group;

    fn deref(&self) -> &Group {
        &self.group
    }
}

impl Service for Processes {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        let (ask, asked) = mpsc::unbounded_channel();
        let group = self.group.run(cx.clone());
        let reloads = self.reloads(&cx, asked);
        tokio::pin!(group, reloads);
        loop {
            // The group is polled meanwhile: its members change only then.
            tokio::select! {
                biased;
                ended = &mut group => return ended,
                // The receiver lives as long as this loop.
                request = cx.reloaded() => drop(ask.send(request)),
                () = &mut reloads => {}
            }
        }
    }

    async fn shutdown(&self, cx: Context) -> Result<(), BoxError> {
        self.group.shutdown(cx).await
    }

    fn settings(&self) -> Settings {
        Service::settings(&self.group)
    }

    fn children(&self) -> Vec<Status> {
        self.group.children()
    }

    fn grace(&self) -> Option<Duration> {
        self.group.grace()
    }

    // Everything that is asked of a composite goes to the group.
    fn __grace(&self, parts: Spans<'_>) -> Option<Duration> {
        self.group.__grace(parts)
    }

    fn __parts(&self) -> Parts {
        self.group.__parts()
    }

    fn __bind(&self, whole: Owner) {
        self.group.__bind(whole);
    }
}

/// Reads `250ms`, `10s`, `2m` and `1h`.
fn duration(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..end].parse().ok()?;
    match &text[end..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        "d" => number.checked_mul(86400).map(Duration::from_secs),
        _ => None,
    }
}

/// Reads `300`, `64KB`, `10MB` and `2GB`.
fn bytes(text: &str) -> Option<u64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    let unit = match &text[end..] {
        "" | "B" => 1,
        "KB" => 1 << 10,
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit)
}

impl FileError {
    fn one(path: &Path, error: &dyn std::fmt::Display) -> Self {
        Self::Mistakes {
            path: path.to_owned(),
            mistakes: Mistake::all(path, "", vec![(0, error.to_string())]),
        }
    }

    /// Returns the error of the system, if it is one.
    ///
    /// # Examples
    ///
    /// ```
    /// let error = startstop_process::Processes::from_file("/no/such.toml").unwrap_err();
    /// assert_eq!(error.io().unwrap().kind(), std::io::ErrorKind::NotFound);
    /// ```
    pub fn io(&self) -> Option<&io::Error> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::Mistakes { .. } => None,
        }
    }
}
