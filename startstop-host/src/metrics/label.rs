//! The label of each service: its path, with a number where another one has the same.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Deref;

use startstop_core::Status;

use crate::parts;

/// A service with the label that is its alone: Prometheus refuses all of an answer with two series of one name and labels.
pub(crate) struct Labelled<'a> {
    status: &'a Status,
    label: Cow<'a, str>,
}

impl Labelled<'_> {
    pub(crate) fn label(&self) -> &str {
        &self.label
    }
}

impl Deref for Labelled<'_> {
    type Target = Status;

    fn deref(&self) -> &Status {
        self.status
    }
}

/// Returns the services of a tree from the top.
pub(crate) fn labelled(root: &Status) -> Vec<Labelled<'_>> {
    let all: Vec<&Status> = parts::all(root).collect();
    // How many of each path have a label.
    let mut given: HashMap<&str, u32> = all.iter().map(|status| (status.path(), 0)).collect();
    let labelled = all.into_iter().map(|status| Labelled {
        status,
        label: next_label(&mut given, status.path()),
    });
    labelled.collect()
}

fn next_label<'a>(given: &mut HashMap<&'a str, u32>, path: &'a str) -> Cow<'a, str> {
    loop {
        let number = given.entry(path).or_default();
        *number += 1;
        if *number == 1 {
            return path.into();
        }
        let label = format!("{path}#{number}");
        // It may be the name of a part.
        if !given.contains_key(&*label) {
            return label.into();
        }
    }
}
