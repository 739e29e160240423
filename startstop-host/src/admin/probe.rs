//! `/livez`, `/readyz`, `/startupz` and `/healthz`, as Kubernetes has them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;

use super::{AdminShared, answer};
use crate::parts::Part;
use crate::verdict::{Verdict, one_line};

type Pairs = Query<Vec<(String, String)>>;

pub(super) async fn livez(State(shared): State<Arc<AdminShared>>, query: Pairs) -> Response {
    respond("livez", &query, shared.probes.live_parts())
}

pub(super) async fn startupz(State(shared): State<Arc<AdminShared>>, query: Pairs) -> Response {
    respond("startupz", &query, shared.probes.startup_parts())
}

pub(super) async fn readyz(State(shared): State<Arc<AdminShared>>, query: Pairs) -> Response {
    respond("readyz", &query, shared.probes.ready_parts().await)
}

pub(super) async fn healthz(State(shared): State<Arc<AdminShared>>, query: Pairs) -> Response {
    respond("healthz", &query, shared.probes.ready_parts().await)
}

fn respond(name: &str, query: &[(String, String)], parts: Vec<Part>) -> Response {
    let excluded: Vec<&str> = query
        .iter()
        .filter(|(key, _)| key == "exclude")
        .map(|(_, name)| &**name)
        .collect();
    let unknown = excluded
        .iter()
        .filter(|name| parts.iter().all(|part| part.name != **name));
    let warning = not_excluded(&unknown.copied().collect());
    let is_excluded = |part: &Part| excluded.contains(&&*part.name);
    let verbose = query.iter().any(|(key, _)| key == "verbose");
    let lines = if verbose {
        lines(&parts, is_excluded)
    } else {
        String::new()
    };
    let verdict = Verdict::of(
        parts
            .into_iter()
            .filter(|part| !is_excluded(part))
            .collect(),
    );
    let body = if verbose {
        let end = if verdict.ok() { "passed" } else { "failed" };
        format!("{lines}{warning}{name} check {end}\n")
    } else if warning.is_empty() {
        verdict.to_string()
    } else {
        format!("{warning}{verdict}")
    };
    answer::text(verdict.http_status(), body)
}

fn lines(parts: &[Part], is_excluded: impl Fn(&Part) -> bool) -> String {
    parts.iter().fold(String::new(), |mut lines, part| {
        let name = one_line(&part.name);
        let _ = match &part.problem {
            _ if is_excluded(part) => writeln!(lines, "[+]{name} excluded: ok"),
            None => writeln!(lines, "[+]{name} ok"),
            Some(reason) => writeln!(lines, "[-]{name} failed: {}", one_line(reason)),
        };
        lines
    })
}

/// One line with all the names that are none of a part.
fn not_excluded(names: &BTreeSet<&str>) -> String {
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("{:?}", one_line(name)))
        .collect();
    format!(
        "warn: some health checks cannot be excluded: no matches for {}\n",
        names.join(",")
    )
}
