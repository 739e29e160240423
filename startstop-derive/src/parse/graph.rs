//! Who starts after whom: names become edges, and what cannot be started is reported.

use std::collections::HashMap;

use proc_macro2::Span;

use super::args::either;
use super::fields::{After, Marked};
use super::keys::closest;
use super::lists::Name;
use crate::diagnostics::Diagnostics;
use crate::model::Member;

/// That one member starts after another.
struct Edge {
    to: usize,
    /// Where that is written; `None` if it follows from the order of the fields.
    span: Option<Span>,
}

/// The members, in order, with what each starts after.
pub(super) fn resolve(fields: Vec<Marked>, out: &mut Diagnostics) -> Vec<Member> {
    let names: Vec<(String, bool)> =
        fields.iter().map(|field| (field.name.clone(), field.says.is_some())).collect();
    let marked = fields.into_iter().filter_map(|field| {
        let says = field.says?;
        Some((field.name, field.field, field.span, says))
    });
    let (mut members, mut edges) = (Vec::new(), Vec::new());
    let ids: HashMap<&str, usize> = names
        .iter()
        .filter(|(_, is_member)| *is_member)
        .map(|(name, _)| &**name)
        .zip(0..)
        .collect();
    for (at, (name, field, span, says)) in marked.enumerate() {
        edges.push(match says.after {
            After::Before => {
                at.checked_sub(1).map(|to| Edge { to, span: None }).into_iter().collect()
            }
            After::Named(after) => named(after, &ids, &names, out),
            After::Unknown => Vec::new(),
        });
        members.push(Member { name, field, span, after: Vec::new(), policies: says.policies });
    }
    Search::of(&edges, &members, out);
    for (at, edges) in edges.iter().enumerate() {
        members[at].after = edges.iter().map(|edge| members[edge.to].name.clone()).collect();
    }
    members
}

fn named(
    after: Vec<Name>,
    ids: &HashMap<&str, usize>,
    names: &[(String, bool)],
    out: &mut Diagnostics,
) -> Vec<Edge> {
    let edge = |Name { text, span }: Name| match ids.get(&*text) {
        Some(to) => Some(Edge { to: *to, span: Some(span) }),
        None => {
            out.report(span, unknown(&text, names));
            None
        }
    };
    after.into_iter().filter_map(edge).collect()
}

fn unknown(word: &str, names: &[(String, bool)]) -> String {
    if names.iter().any(|(name, _)| name == word) {
        return format!("`{word}` is not a member: mark it `#[service(member)]`");
    }
    let members = || names.iter().filter(|(_, is_member)| *is_member).map(|(name, _)| &**name);
    match closest(word, members()) {
        Some(meant) => format!("unknown member `{word}`, did you mean `{meant}`?"),
        None => format!("unknown member `{word}`: expected {}", either(members())),
    }
}

/// A walk, depth first, that reports each cycle it closes.
struct Search<'a> {
    edges: &'a [Vec<Edge>],
    members: &'a [Member],
    done: Vec<bool>,
    /// The edges that led here, each with the member it comes from.
    path: Vec<(usize, &'a Edge)>,
    out: &'a mut Diagnostics,
}

impl<'a> Search<'a> {
    fn of(edges: &'a [Vec<Edge>], members: &'a [Member], out: &'a mut Diagnostics) {
        let mut search =
            Self { edges, members, done: vec![false; edges.len()], path: Vec::new(), out };
        (0..edges.len()).for_each(|root| search.walk(root));
    }

    fn walk(&mut self, from: usize) {
        if self.done[from] {
            return;
        }
        for edge in &self.edges[from] {
            self.path.push((from, edge));
            match self.path.iter().position(|(passed, _)| *passed == edge.to) {
                Some(first) => self.report(first),
                None => self.walk(edge.to),
            }
            self.path.pop();
        }
        self.done[from] = true;
    }

    /// Reports the cycle that the path is from here on, where its last edge is written that is: those
    /// that follow from the order of the fields alone make none.
    fn report(&mut self, first: usize) {
        let cycle = &self.path[first..];
        let Some(span) = cycle.iter().rev().find_map(|(_, edge)| edge.span) else { return };
        let names = cycle.iter().chain(cycle.first()).map(|(at, _)| &*self.members[*at].name);
        let path = names.collect::<Vec<_>>().join(" -> ");
        self.out.report(span, format!("the members depend on each other: {path}"));
    }
}
