//! Listening to a service and to all that it is made of.
//!
//! A stream is handed down from a service to its parts, each of which tells it by itself. The tree is walked without recursion,
//! and no two locks are held at once: a part that comes meanwhile is handed the streams of what it becomes a part of, by who
//! puts it there.

use std::sync::Arc;

use crate::engine::{Deferred, Listener, Node, listeners, update};
use crate::report::event::{EventKind, Events};
use crate::report::path::Path;
use crate::report::shared_name::SharedName;

/// Begins a stream of what happens to `node` and to all that it is made of.
pub(crate) fn listen(node: &Arc<dyn Node>, capacity: usize) -> Events {
    let path = path_of(&**node);
    let events = Events::new(capacity, path.clone());
    hand_down(
        node,
        Listener {
            queue: Arc::clone(events.queue()),
            path,
            root: true,
        },
    );
    events
}

/// Returns the path of a service in what has started it.
pub(crate) fn path_of(node: &dyn Node) -> Path {
    node.shared().synced().path(&node.shared().settings)
}

/// Registers a stream with a service and its parts.
fn hand_down(node: &Arc<dyn Node>, listener: Listener) {
    walk(node, listener, |node, listener| {
        listeners::listen(&mut node.shared().synced(), listener.clone());
    });
}

/// Visits a service and what is below it, each with the listener as it is handed to it.
fn walk(node: &Arc<dyn Node>, listener: Listener, visit: impl Fn(&dyn Node, &Listener)) {
    let mut open = vec![(Arc::clone(node), listener)];
    while let Some((node, listener)) = open.pop() {
        // Before the parts are looked at: who adds one later finds the listener.
        visit(&*node, &listener);
        let parts = node.parts().into_iter();
        open.extend(parts.map(|(name, part)| (part, listener.below(&name))));
    }
}

/// Names a part after the owner that is about to start it, unless it runs already: its failures and events bear that path.
pub(crate) fn place(owner: &Arc<dyn Node>, name: &SharedName, part: &Arc<dyn Node>) {
    let above = path_of(&**owner);
    let moved = listeners::move_below(&mut part.shared().synced(), &above, name);
    has_moved(&above, name, part, moved);
}

/// A part has another path now: its parts have it too, in the streams of its own, which are as they were here.
pub(crate) fn has_moved(owner: &Path, name: &SharedName, part: &Arc<dyn Node>, own: Vec<Listener>) {
    for old in own {
        let path = owner.below(name.clone());
        let new = Listener {
            path,
            ..old.clone()
        };
        for (name, below) in part.parts() {
            take_back(&below, old.below(&name));
            hand_down(&below, new.below(&name));
        }
    }
}

/// A part is added to an owner that is listened to: it and its parts tell the streams of the owner from now on, and that before
/// all else. Who reads them is woken by what is deferred, for the lock of a table may be held here.
pub(crate) fn inserted(
    owner: &Arc<dyn Node>,
    name: &SharedName,
    part: &Arc<dyn Node>,
    deferred: &mut Deferred,
) {
    for listener in listeners_below(owner, name) {
        let mut synced = part.shared().synced();
        listeners::listen(&mut synced, listener.clone());
        listeners::tell_one(&synced, &listener, EventKind::Inserted, deferred);
        drop(synced);
        hand_down(part, listener);
    }
}

/// A part is taken off an owner that is listened to, and tells nothing after that.
pub(crate) fn removed(owner: &Arc<dyn Node>, name: &SharedName, part: &Arc<dyn Node>) {
    for listener in listeners_below(owner, name) {
        for (name, below) in part.parts() {
            take_back(&below, listener.below(&name));
        }
        update(part, |_, synced, deferred| {
            listeners::tell_one(synced, &listener, EventKind::Removed, deferred);
            listeners::unlisten(synced, &listener);
        });
    }
}

/// Returns the streams of an owner, as they are handed to a part of it.
fn listeners_below(owner: &Arc<dyn Node>, name: &SharedName) -> Vec<Listener> {
    let listeners = listeners::all(&owner.shared().synced());
    listeners
        .iter()
        .map(|listener| listener.below(name))
        .collect()
}

fn take_back(node: &Arc<dyn Node>, listener: Listener) {
    walk(node, listener, |node, listener| {
        listeners::unlisten(&mut node.shared().synced(), listener);
    });
}
