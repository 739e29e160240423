//! How long a stop can take, found out from the leaves up: the tree is walked without recursion.

use std::sync::Arc;
use std::time::Duration;

use super::{Node, Shared, drain};
use crate::report::panic::catch_panic;
use crate::report::shared_name::SharedName;
use crate::rules::span::{Limits, Span};

/// A part of a composite, under its name.
pub(crate) type Named = (SharedName, Span);

/// Returns how long a stop of this service can take.
pub(crate) fn span(root: &dyn Node) -> Span {
    walk(root, |_, _| ())
}

/// The same, telling of each composite below.
fn walk(root: &dyn Node, tell: impl Fn(&dyn Node, Span)) -> Span {
    let mut open = vec![SpanBranch::new(root.parts())];
    let mut above: Vec<(SharedName, Arc<dyn Node>)> = Vec::new();
    loop {
        let Some(branch) = open.last_mut() else {
            unreachable!("the root is closed as the last")
        };
        if let Some((name, part)) = branch.left.next() {
            open.push(SpanBranch::new(part.parts()));
            above.push((name, part));
            continue;
        }
        let done = open.pop().map(|branch| branch.spans).unwrap_or_default();
        match (above.pop(), open.last_mut()) {
            (Some((name, node)), Some(branch)) => {
                let span = of_one(&*node, &done);
                if !done.is_empty() {
                    tell(&*node, span);
                }
                branch.spans.push((name, span));
            }
            _ => return of_one(root, &done),
        }
    }
}

/// The same for the stop of the owner that this is a part of. It notes how long each composite below may take, for the stop
/// of what that is a part of: else an owner as deep as it may be would be walked at each level.
pub(crate) fn span_in_stop(node: &dyn Node) -> Span {
    let noted = drain::take_span(&mut node.shared().synced());
    noted.unwrap_or_else(|| {
        walk(node, |node, span| {
            drain::note_span(&mut node.shared().synced(), span);
        })
    })
}

/// The longest drain of what a service is made of. What has one of its own drains no longer than that.
#[inline]
pub(crate) fn drain_below(root: &dyn Node) -> Duration {
    let mut drains = Drains::default();
    root.each_part(&mut |part| drains.look_at(part));
    while let Some(part) = drains.open.pop() {
        part.each_part(&mut |part| drains.look_at(part));
    }
    drains.longest
}

/// The drains that a walk has found, and where it goes on.
#[derive(Default)]
struct Drains {
    longest: Duration,
    open: Vec<Arc<dyn Node>>,
}

impl Drains {
    #[inline]
    fn look_at(&mut self, part: &Arc<dyn Node>) {
        match part.shared().settings.own_drain() {
            Some(drain) => self.longest = self.longest.max(drain),
            None if part.shared().marks.may_have_parts() => self.open.push(Arc::clone(part)),
            None => {}
        }
    }
}

/// Returns how long these parts of a composite can take each.
pub(crate) fn spans(parts: Vec<(SharedName, Arc<dyn Node>)>) -> Vec<Named> {
    parts
        .into_iter()
        .map(|(name, node)| (name, span(&*node)))
        .collect()
}

/// A service whose parts are being looked at.
struct SpanBranch {
    left: std::vec::IntoIter<(SharedName, Arc<dyn Node>)>,
    spans: Vec<Named>,
}

impl SpanBranch {
    fn new(parts: Vec<(SharedName, Arc<dyn Node>)>) -> Self {
        Self {
            spans: Vec::with_capacity(parts.len()),
            left: parts.into_iter(),
        }
    }
}

fn of_one(node: &dyn Node, parts: &[Named]) -> Span {
    let spans: Vec<Span> = parts.iter().map(|(_, span)| *span).collect();
    // User code; where it panics, nothing is known but the settings.
    let grace = catch_panic(|| node.grace(parts)).unwrap_or_default();
    Span::new(limits(node.shared()), grace, &spans)
}

fn limits(shared: &Shared) -> Limits {
    let settings = &shared.settings;
    Limits {
        drain: settings.own_drain(),
        stop_timeout: settings.stop_timeout(),
        abort_timeout: settings.abort_timeout(),
    }
}
