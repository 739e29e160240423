//! A status and an event as text for a terminal, which nothing in them steers.

use std::time::Duration;

use serde_json::Value;

use super::tree::StatusAt;

/// Returns the tree, a line a service, aligned.
pub(crate) fn tree(tree: &[StatusAt]) -> String {
    let rows = rows(tree);
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [0, 1, 2, 3].map(width);
    let line = |row: &[String; 5]| {
        let columns = row
            .iter()
            .zip(widths)
            .map(|(text, width)| format!("{text:width$}  "));
        let line = columns.collect::<String>() + &row[4];
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Returns what draws a page over the one before, of which nothing is left. A line that is wider than the terminal is cut at its
/// edge: one that goes on in the next line moves all below it.
pub(crate) fn over(page: &str) -> String {
    let page = page.replace('\n', "\n\x1b[K");
    format!("\x1b[?7l\x1b[H\x1b[K{page}\n\x1b[J\x1b[?7h")
}

fn rows(tree: &[StatusAt]) -> Vec<[String; 5]> {
    let heads = ["SERVICE", "STATE", "UPTIME", "RESTARTS", ""].map(str::to_owned);
    let mut rows = vec![heads];
    // What stands before the parts of each status that is above.
    let mut before = vec![String::new()];
    for ((depth, status), last) in tree.iter().zip(are_last(tree)) {
        before.truncate(depth + 1);
        let prefix = before[*depth].clone();
        let (branch, below) = match (depth, last) {
            (0, _) => ("", ""),
            (_, true) => ("└─ ", "   "),
            (_, false) => ("├─ ", "│  "),
        };
        before.push(format!("{prefix}{below}"));
        rows.push(row(&format!("{prefix}{branch}"), status));
    }
    rows
}

/// Returns of each status whether it is the last part of its whole.
fn are_last(tree: &[StatusAt]) -> Vec<bool> {
    // Of each level whether another status of the same whole follows.
    let mut follows = Vec::new();
    let last = tree.iter().rev().map(|(depth, _)| {
        follows.resize(depth + 1, false);
        !std::mem::replace(&mut follows[*depth], true)
    });
    let mut last: Vec<bool> = last.collect();
    last.reverse();
    last
}

fn row(tree: &str, status: &Value) -> [String; 5] {
    let text = |key: &str| status[key].as_str().map(plain);
    let state = text("state").unwrap_or_default();
    let uptime = duration(&status["uptime"])
        .filter(|_| state == "running")
        .map(brief);
    [
        format!("{tree}{}", text("name").unwrap_or_default()),
        state.clone(),
        uptime.unwrap_or_default(),
        status["restarts"].to_string(),
        remarks(status, &state),
    ]
}

/// Returns the remarks beside the state, the most important one first.
fn remarks(status: &Value, state: &str) -> String {
    let text = |key: &str| status[key].as_str().map(plain);
    let errors = status["last_failure"]["errors"]
        .as_array()
        .filter(|_| state != "running");
    let errors = errors.map(|errors| {
        errors
            .iter()
            .filter_map(Value::as_str)
            .map(plain)
            .collect::<Vec<_>>()
            .join(": ")
    });
    let left = duration(&status["remaining"]).map(|left| format!("{} left", brief(left)));
    let next =
        duration(&status["next_attempt"]).map(|left| format!("next attempt in {}", brief(left)));
    let unready = text("not_ready_reason").map(|reason| format!("not ready: {reason}"));
    let all = [
        text("unresponsive"),
        left,
        next,
        errors,
        unready,
        text("detail"),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Returns an event as a line: whose, what, and what else is told of it.
pub(crate) fn event(event: &Value) -> String {
    let text = |key: &str| plain(event[key].as_str().unwrap_or_default());
    let known = ["path", "event", "at", "cycle", "attempt"];
    let more = event
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| !known.contains(&&***key));
    let more = more.map(|(key, value)| match (duration(value), value) {
        (Some(time), _) => format!(" {key}={}", brief(time)),
        (None, Value::String(text)) => format!(" {key}={}", plain(text)),
        (None, value) => format!(
            " {key}={}",
            plain(
                &value["message"]
                    .as_str()
                    .map_or(value.to_string(), str::to_owned)
            )
        ),
    });
    format!(
        "{} {}{}",
        text("path"),
        text("event"),
        more.collect::<String>()
    )
}

/// Returns a duration as serde writes it.
fn duration(value: &Value) -> Option<Duration> {
    let nanos = u32::try_from(value["nanos"].as_u64()?).ok()?;
    Some(Duration::new(value["secs"].as_u64()?, nanos))
}

fn brief(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 if duration.is_zero() => "0s".to_owned(),
        0 => format!("{}ms", duration.as_millis()),
        1..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// Without what ends a line, turns a direction or steers a terminal.
pub(crate) fn plain(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|c| if steers(c) { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{event, tree};

    #[test]
    fn a_tree_is_drawn_and_steers_nothing() {
        let db = json!({
            "name": "db\u{1b}[2J", "state": "backoff", "restarts": 3, "children": [],
            "next_attempt": { "secs": 4, "nanos": 0 },
            "last_failure": { "errors": ["cannot\nconnect", "refused"] },
        });
        let app = json!({
            "name": "shop", "state": "running", "restarts": 0, "children": [],
            "uptime": { "secs": 192, "nanos": 5 }, "not_ready_reason": "db",
        });
        let text = "SERVICE    STATE    UPTIME  RESTARTS\n\
                    shop       running  3m12s   0         not ready: db\n\
                    └─ db [2J  backoff          3         next attempt in 4s; cannot connect: refused";
        assert_eq!(tree(&[(0, app), (1, db)]), text);
    }

    #[test]
    fn branches_lead_to_the_last_part_of_each_whole() {
        let levels = [0, 1, 2, 2, 3, 1, 2, 3];
        let nodes =
            levels.map(|depth| (depth, json!({ "name": depth.to_string(), "restarts": "" })));
        let text = tree(&nodes);
        let names = text
            .lines()
            .skip(1)
            .map(|line| line.trim_end_matches([' ', '"']));
        let drawn = [
            "0",
            "├─ 1",
            "│  ├─ 2",
            "│  └─ 2",
            "│     └─ 3",
            "└─ 1",
            "   └─ 2",
            "      └─ 3",
        ];
        assert_eq!(names.collect::<Vec<_>>(), drawn);
    }

    #[test]
    fn an_event_is_a_line() {
        let told = json!({ "path": "shop/db", "event": "ready", "cycle": 1, "after": { "secs": 0, "nanos": 7_000_000 } });
        assert_eq!(event(&told), "shop/db ready after=7ms");
    }
}
