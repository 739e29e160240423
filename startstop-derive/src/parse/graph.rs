//! The order of the members: names become edges, and an order that cannot be kept is reported.

use std::collections::HashMap;

use proc_macro2::Span;

use super::fields::{After, MarkedField};
use super::lists::{Name, OfMember};
use super::words::{closest, either};
use crate::diagnostics::Diagnostics;
use crate::model::Member;

/// That one member starts after another.
struct Edge {
    to: usize,
    /// The span of the words that say so; `None` if it follows from the order of the fields.
    span: Option<Span>,
}

/// Returns the members, in order, with what each starts after.
pub(super) fn resolve(fields: Vec<MarkedField>, out: &mut Diagnostics) -> Vec<Member> {
    let names: Vec<(String, bool)> = fields
        .iter()
        .map(|field| (field.name.clone(), field.says.is_some()))
        .collect();
    let marked = fields.into_iter().filter_map(|field| {
        let says = field.says?;
        Some((field.name, field.field, field.ty, says))
    });
    let (mut members, mut edges, mut certain) = (Vec::new(), Vec::new(), Vec::new());
    // For each member: how many of its edges are plain; those to what it is bound to come after them.
    let mut bounds = Vec::new();
    let ids: HashMap<&str, usize> = names
        .iter()
        .filter(|(_, is_member)| *is_member)
        .map(|(name, _)| &**name)
        .zip(0..)
        .collect();
    for (name, field, ty, says) in marked {
        let OfMember {
            policies,
            bound_to,
            is_transient,
        } = says.of_member;
        let mut starts_after = match says.after {
            After::Before => before(&members),
            After::Named(after) => named(after, &ids, &names, out),
            After::Unknown => Vec::new(),
        };
        let bound = named(bound_to, &ids, &names, out);
        bounds.push(starts_after.len());
        starts_after.extend(bound);
        edges.push(starts_after);
        certain.push(says.is_member);
        let (after, bound_to) = (Vec::new(), Vec::new());
        members.push(Member {
            name,
            field,
            ty,
            after,
            bound_to,
            is_transient,
            policies,
        });
    }
    refuse_transient(&edges, &members, out);
    Search::of(&edges, &members, out);
    for ((at, edges), bound) in edges.iter().enumerate().zip(bounds) {
        let name = |edge: &Edge| members[edge.to].name.clone();
        let (after, bound_to) = edges.split_at(bound);
        let (after, bound_to) = (
            after.iter().map(name).collect(),
            bound_to.iter().map(name).collect(),
        );
        (members[at].after, members[at].bound_to) = (after, bound_to);
    }
    members
        .into_iter()
        .zip(certain)
        .filter(|(_, is_member)| *is_member)
        .map(|(it, _)| it)
        .collect()
}

/// Returns the edge to the member that is declared before, unless nothing can start after that.
fn before(members: &[Member]) -> Vec<Edge> {
    let to = members.iter().rposition(|member| !member.is_transient);
    to.map(|to| Edge { to, span: None }).into_iter().collect()
}

/// Reports those that start after one that leaves when it has ended.
fn refuse_transient(edges: &[Vec<Edge>], members: &[Member], out: &mut Diagnostics) {
    for Edge { to, span } in edges.iter().flatten() {
        let Member {
            name,
            is_transient: true,
            ..
        } = &members[*to]
        else {
            continue;
        };
        if let Some(span) = span {
            let message = format!("`{name}` is transient: nothing can start after it");
            out.report(*span, message);
        }
    }
}

fn named(
    after: Vec<Name>,
    ids: &HashMap<&str, usize>,
    names: &[(String, bool)],
    out: &mut Diagnostics,
) -> Vec<Edge> {
    let edge = |Name { text, span }: Name| match ids.get(&*text) {
        Some(to) => Some(Edge {
            to: *to,
            span: Some(span),
        }),
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
    let members = || {
        names
            .iter()
            .filter(|(_, is_member)| *is_member)
            .map(|(name, _)| &**name)
    };
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
        let mut search = Self {
            edges,
            members,
            done: vec![false; edges.len()],
            path: Vec::new(),
            out,
        };
        (0..edges.len()).for_each(|root| search.walk(root));
    }

    fn walk(&mut self, from: usize) {
        if self.done[from] {
            return;
        }
        let edges = &self.edges[from];
        for (at, edge) in edges.iter().enumerate() {
            // A member that is bound to one that it starts after as well is in the same cycles by both.
            if edges[..at].iter().any(|earlier| earlier.to == edge.to) {
                continue;
            }
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
        let Some(span) = cycle.iter().rev().find_map(|(_, edge)| edge.span) else {
            return;
        };
        let names = cycle
            .iter()
            .chain(cycle.first())
            .map(|(at, _)| &*self.members[*at].name);
        let path = names.collect::<Vec<_>>().join(" -> ");
        self.out
            .report(span, format!("the members depend on each other: {path}"));
    }
}
