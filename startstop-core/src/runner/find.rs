//! A part of a service, by its path.

use std::sync::Arc;

use super::listen::path_of;
use crate::engine::Node;
use crate::report::path::SEPARATOR;

pub(super) fn find(root: Arc<dyn Node>, path: &str) -> Option<Arc<dyn Node>> {
    let mut open = vec![(after(path, path_of(&*root).as_str())?, root)];
    while let Some((rest, node)) = open.pop() {
        let Some(names) = rest.strip_prefix(SEPARATOR) else {
            return Some(node);
        };
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
