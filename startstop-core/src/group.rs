//! Groups: many services as one, started in order of their dependencies and stopped in reverse.
//!
//! The group's own task supervises: members tell it by a mailbox when their state has changed, it asks
//! the [`board`] what follows, and asks the members for it. Nobody else starts or stops members but
//! those who hold their handles.

mod board;
mod builder;
mod change;
mod error;
mod graph;
mod limit;
mod mailbox;
mod member;
mod policy;
mod supervise;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::context::Context;
use crate::panic::BoxError;
use crate::runner::StartStop;
use crate::service::{Parts, Service};
use crate::settings::Settings;
use crate::snapshot;
use crate::state::Readiness;
use crate::status::Status;
use crate::sync::{Mutex, MutexGuard};

pub use builder::GroupBuilder;
pub use error::{DependencyFailed, GroupError};
pub use member::{IntoMember, Member};
pub use policy::{OnCompletion, OnFailure};

use board::{Action, Board};
use graph::Id;
use mailbox::Mailbox;
use member::{Part, Prepared};

/// Many services as one: started in order of their dependencies, stopped in reverse, restarted by what
/// each member asks for.
///
/// A group is a [`Service`]: put it into a [`Runner`](crate::Runner). Clones are handles of the same
/// group, which runs under one runner at a time: another one fails with [`GroupError::AlreadyRuns`].
///
/// It is ready when every member is ready or settled, that is, has ended and is ignored, or was stopped
/// by hand. It completes when no member is alive or pending and at least one has completed. A member
/// that is stopped by its handle has neither failed nor completed, leaves those that depend on it alone,
/// and may be started again.
///
/// # Examples
///
/// ```
/// use startstop_core::{Group, Runner, once, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let app = Group::builder("app")
///     .with("db", service_fn(async |cx| cx.cancelled().await))
///     .then("migrate", once(async |_cx| println!("creating tables")))
///     .then("http", service_fn(async |cx| cx.cancelled().await))
///     .build()?;
/// let app = Runner::new(app);
///
/// app.start().await?; // db, then migrate, then http
/// assert!(app.service().get("http").unwrap().is_running());
/// app.stop().await?; // http, then db
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Group {
    shared: Arc<Shared>,
}

/// What the handles of a group share.
struct Shared {
    settings: Settings,
    limit: Option<(u32, Duration)>,
    mailbox: Arc<Mailbox>,
    /// Its lock comes before that of a member's cell and that of the mailbox.
    table: Mutex<Table>,
}

/// The members.
#[derive(Default)]
struct Table {
    board: Board,
    /// By id; `None` where a member was removed.
    entries: Vec<Option<Entry>>,
    ids: HashMap<Cow<'static, str>, Id>,
}

struct Entry {
    name: Cow<'static, str>,
    part: Part,
    /// Its cycle when the supervisor has last looked.
    seen: u64,
    /// The futures of `insert` and `remove` that wait for this member.
    inserting: Option<oneshot::Sender<Result<(), GroupError>>>,
    removing: Vec<oneshot::Sender<Result<(), GroupError>>>,
}

impl Group {
    /// Begins a group of this name.
    ///
    /// # Examples
    ///
    /// See [`Group`].
    pub fn builder(name: impl Into<Cow<'static, str>>) -> GroupBuilder {
        GroupBuilder::new(name.into())
    }

    /// The runner of a member.
    ///
    /// # Examples
    ///
    /// See [`Group`].
    pub fn get(&self, name: &str) -> Option<Arc<dyn StartStop>> {
        let table = self.shared.table();
        let id = table.ids.get(name)?;
        Some(Arc::clone(&table.entry(*id).part.handle))
    }

    /// The names of the members, in the order in which they were added.
    ///
    /// # Examples
    ///
    /// See [`Member`].
    pub fn members(&self) -> Vec<String> {
        let table = self.shared.table();
        table.entries.iter().flatten().map(|entry| entry.name.clone().into_owned()).collect()
    }

    /// The statuses of the members as a tree, under a line for the group itself, as the runner shows it
    /// that runs the group or ran it last.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, service_fn};
    ///
    /// let group = Group::builder("app")
    ///     .with("db", service_fn(async |cx| cx.cancelled().await))
    ///     .build()
    ///     .unwrap();
    /// let status = group.status();
    /// assert_eq!(status.name(), "app");
    /// assert_eq!(status.children()[0].name(), "db");
    /// ```
    pub fn status(&self) -> Status {
        let observed = self.shared.mailbox.group().and_then(|node| node.upgrade());
        match observed {
            Some(node) => snapshot::status(&*node),
            None => {
                let name = self.shared.settings.get_name().unwrap_or_default();
                Status::of_stopped(name, self.children())
            }
        }
    }
}

/// A group is explicitly ready, and has `MAX` start and stop timeouts, since each member has its own.
impl Service for Group {
    type Error = BoxError;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        supervise::run(&self.shared, cx)
    }

    fn settings(&self) -> Settings {
        with_defaults(self.shared.settings.clone())
    }

    fn children(&self) -> Vec<Status> {
        let parts = self.__parts().0;
        parts.into_iter().map(|(name, node)| snapshot::status(&*node).named(&name)).collect()
    }

    fn __parts(&self) -> Parts {
        let table = self.shared.table();
        let entries = table.entries.iter().flatten();
        let part = |entry: &Entry| (entry.name.clone(), Arc::clone(&entry.part.node));
        Parts(entries.map(part).collect())
    }
}

/// Settings with the defaults of a group.
pub(crate) fn with_defaults(settings: Settings) -> Settings {
    let defaults = Settings::new()
        .readiness(Readiness::Explicit)
        .start_timeout(Duration::MAX)
        .stop_timeout(Duration::MAX);
    settings.or(defaults)
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The entry, unless its member is gone.
    fn look_up(&self, id: Id) -> Option<&Entry> {
        self.entries.get(id.0)?.as_ref()
    }

    fn entry(&self, id: Id) -> &Entry {
        self.entries[id.0].as_ref().expect("an id is used only while its member is there")
    }

    fn entry_mut(&mut self, id: Id) -> &mut Entry {
        self.entries[id.0].as_mut().expect("an id is used only while its member is there")
    }

    /// Adds a member whose dependencies are there.
    fn add(&mut self, name: Cow<'static, str>, member: Prepared, deps: Vec<Id>) -> Id {
        let Prepared { part, on_failure, on_completion, .. } = member;
        let id = self.board.add(deps, on_failure, on_completion);
        self.ids.insert(name.clone(), id);
        let seen = part.node.core().cell().cycle;
        let entry = Entry { name, part, seen, inserting: None, removing: Vec::new() };
        self.entries.push(Some(entry));
        id
    }

    fn add_barrier(&mut self) {
        self.board.add_barrier();
        self.entries.push(None);
    }

    /// Takes a member off.
    fn delete(&mut self, id: Id) -> Option<Entry> {
        let entry = self.entries.get_mut(id.0)?.take()?;
        self.ids.remove(&entry.name);
        self.board.delete(id);
        self.entries.truncate(self.board.len());
        Some(entry)
    }

    /// What is to be done next; all that was to be done before is done.
    fn take_actions(&mut self) -> Vec<Action> {
        self.board.trim();
        self.entries.truncate(self.board.len());
        self.board.take_actions()
    }
}

thread_local! {
    /// The members of groups that are being dropped on this thread; `None` while none is.
    static DROPPING: RefCell<Option<Vec<Entry>>> = const { RefCell::new(None) };
}

/// Groups may be nested deeper than the stack is: the members of inner ones are dropped by the
/// outermost.
impl Drop for Shared {
    fn drop(&mut self) {
        let table = self.table.get_mut().unwrap_or_else(PoisonError::into_inner);
        let entries: Vec<Entry> = table.entries.drain(..).flatten().collect();
        let outermost = DROPPING.with_borrow_mut(|dropping| match dropping {
            Some(others) => {
                others.extend(entries);
                false
            }
            None => {
                *dropping = Some(entries);
                true
            }
        });
        if !outermost {
            return;
        }
        // Also where a service panics in its drop.
        let _outermost = Outermost;
        while let Some(entry) = DROPPING.with_borrow_mut(|all| all.as_mut().and_then(Vec::pop)) {
            drop(entry);
        }
    }
}

struct Outermost;

impl Drop for Outermost {
    fn drop(&mut self) {
        let rest = DROPPING.with_borrow_mut(Option::take);
        drop(rest);
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("name", &self.shared.settings.get_name())
            .field("members", &self.members())
            .finish()
    }
}
