//! The statuses of a tree, read from its text without recursion: it may be deeper than what reads JSON takes.

use std::io;

use serde_json::Value;

/// A status without those of its parts, and how many are above it.
pub(crate) type StatusAt = (usize, Value);

/// A status whose end has not come.
struct OpenStatus {
    /// Which one it is.
    number: usize,
    /// How many lists and objects are open within it.
    nested: usize,
    /// Whether its parts are being read.
    at_children: bool,
}

/// Reads the statuses from the top, each before its parts.
pub(crate) fn read(text: &str) -> io::Result<Vec<StatusAt>> {
    let nodes = split(text).into_iter();
    let read = nodes.map(|(depth, text)| Ok((depth, serde_json::from_str(&text)?)));
    let nodes = read.collect::<io::Result<Vec<StatusAt>>>()?;
    if nodes.is_empty() {
        let message = "the answer is no status";
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(nodes)
}

/// Returns the text of each status without those of its parts. What is no JSON stays none.
fn split(text: &str) -> Vec<(usize, String)> {
    let mut nodes: Vec<(usize, String)> = Vec::new();
    let mut open: Vec<OpenStatus> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (token, after) = rest.split_at(length(rest));
        rest = after;
        if token == "{" && open.last().is_none_or(|open| open.at_children) {
            nodes.push((open.len(), "{".to_owned()));
            open.push(OpenStatus {
                number: nodes.len() - 1,
                nested: 0,
                at_children: false,
            });
            continue;
        }
        let Some(status) = open.last_mut() else {
            continue;
        };
        let text = &mut nodes[status.number].1;
        let ends = token == "}" && status.nested == 0;
        match token {
            "," if status.at_children => continue,
            "]" if status.at_children => status.at_children = false,
            "[" if status.nested == 0 && text.trim_end().ends_with("\"children\":") => {
                status.at_children = true;
            }
            "{" | "[" => status.nested += 1,
            "}" | "]" if status.nested > 0 => status.nested -= 1,
            _ => {}
        }
        text.push_str(token);
        if ends {
            open.pop();
        }
    }
    nodes
}

/// Returns the length of what is first in a text: a string, a sign of the structure, or what lies between two of those.
fn length(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes[0] {
        b'"' => string(&bytes[1..]) + 1,
        b'{' | b'}' | b'[' | b']' | b',' => 1,
        _ => text
            .find(['"', '{', '}', '[', ']', ','])
            .unwrap_or(text.len()),
    }
}

/// Returns the length of a string from its first byte to its closing quote.
fn string(bytes: &[u8]) -> usize {
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;

    #[test]
    fn each_status_comes_before_its_parts_without_them() {
        let leaf = |name: &str| json!({ "name": name, "children": [], "last_failure": { "errors": ["]}", "{[,"] } });
        let odd = "\"children\":[{\"name\":\"x\"}] \\";
        let whole = json!({ "children": [leaf("a")], "detail": odd, "gauges": [["children", 1.0], ["n", 2.0]], "name": "b" });
        let root = json!({ "name": "root", "children": [whole, leaf("c")], "uptime": { "secs": 1, "children": [{}] } });
        for text in [
            root.to_string(),
            serde_json::to_string_pretty(&root).unwrap(),
        ] {
            let nodes = read(&text).unwrap();
            let names: Vec<_> = nodes
                .iter()
                .map(|(depth, status)| (*depth, status["name"].as_str().unwrap()))
                .collect();
            assert_eq!(names, [(0, "root"), (1, "b"), (2, "a"), (1, "c")]);
            assert_eq!(nodes[1].1["detail"], odd);
            assert_eq!(nodes[0].1["uptime"], root["uptime"]);
            assert!(
                nodes
                    .iter()
                    .all(|(_, status)| status["children"] == json!([]))
            );
        }
    }

    #[test]
    fn a_tree_may_be_deep() {
        let text = "{\"children\":[".repeat(100_000) + &"]}".repeat(100_000);
        let nodes = read(&text).unwrap();
        assert_eq!(nodes.last().unwrap(), &(99_999, json!({ "children": [] })));
    }

    #[test]
    fn what_is_no_tree_is_an_error() {
        let deep = format!("{{\"detail\":{}", "[".repeat(100_000));
        for text in [
            "",
            " ",
            "[]",
            "null",
            "{",
            "}",
            "{\"children\":[}",
            "{\"children\":[{}x]}",
            "\"",
            "\"\\",
            &deep,
        ] {
            read(text)
                .map(|nodes| panic!("{text}: {nodes:?}"))
                .unwrap_err();
        }
        assert_eq!(
            read("{} ").unwrap(),
            [(0, Value::Object(serde_json::Map::new()))]
        );
    }
}
