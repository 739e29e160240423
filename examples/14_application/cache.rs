//! The cache: keeps values of the database, and asks it each time whether they are still true.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use startstop_core::{Context, Readiness, Service, Settings, Slot};

use crate::db::Client;

/// Each attempt begins with nothing, and so does each reload.
pub(crate) struct Cache {
    place: Slot<Entries>,
}

/// Values by key, with their versions.
#[derive(Default)]
pub(crate) struct Entries {
    kept: Mutex<HashMap<String, (String, String)>>,
}

impl Cache {
    pub(crate) fn new(place: Slot<Entries>) -> Self {
        Self { place }
    }
}

impl Service for Cache {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        loop {
            self.place.fill(&cx, Entries::default());
            tokio::select! {
                () = cx.cancelled() => return Ok(()),
                reload = cx.reloaded() => reload.done(),
            }
        }
    }

    fn settings(&self) -> Settings {
        Settings::new().readiness(Readiness::Explicit)
    }
}

impl Entries {
    /// A value, and who had it.
    pub(crate) async fn get(&self, db: &Client, key: &str) -> io::Result<(String, &'static str)> {
        let version = db.ask(&format!("version {key}")).await?;
        let kept = self.kept().get(key).cloned();
        if let Some((_, value)) = kept.filter(|(of, _)| *of == version) {
            return Ok((value, "cache"));
        }
        let value = db.ask(&format!("get {key}")).await?;
        self.kept().insert(key.to_owned(), (version, value.clone()));
        Ok((value, "database"))
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, (String, String)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
