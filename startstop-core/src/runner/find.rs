//! A part of a service, by its path.

use std::sync::Arc;

use super::listen::path_of;
use super::{Runner, StartStop};
use crate::engine::Node;
use crate::report::path::SEPARATOR;
use crate::service::Service;

impl<S: Service> Runner<S> {
    /// Returns the service itself, or what is below it, by its path as [`Status::path`](crate::Status::path) has it; `None` if
    /// there is nothing of that path.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, State, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let db = service_fn(async |cx| cx.cancelled().await);
    /// let app = Runner::new(Group::builder("app").with("db", db).build().unwrap());
    /// app.start().await.unwrap();
    ///
    /// let db = app.find("app/db").unwrap();
    /// db.stop().await.unwrap();
    /// assert_eq!(app.status().children()[0].state(), State::Stopped);
    /// assert!(app.find("app/cache").is_none());
    /// # app.stop().await.unwrap();
    /// # }
    /// ```
    pub fn find(&self, path: &str) -> Option<Arc<dyn StartStop>> {
        let node = find(Arc::clone(&self.inner) as Arc<dyn Node>, path)?;
        node.handle()?.downcast().ok().map(|handle| *handle)
    }
}

fn find(root: Arc<dyn Node>, path: &str) -> Option<Arc<dyn Node>> {
    let mut open = vec![(after(path, path_of(&*root).as_str())?, root)];
    while let Some((rest, node)) = open.pop() {
        let Some(names) = rest.strip_prefix(SEPARATOR) else { return Some(node) };
        let parts = node.parts().into_iter();
        open.extend(parts.filter_map(|(name, part)| Some((after(names, &name)?, part))));
    }
    None
}

/// Returns the rest of a path after its first name: nothing, or a separator and more. `None` if it does not begin with the name.
fn after<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(name)?;
    (rest.is_empty() || rest.starts_with(SEPARATOR)).then_some(rest)
}
