//! `/status`: the tree as JSON.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use startstop_core::Status;

use super::{AdminShared, answer};

/// The end of a status that has no parts: `children` is its last field.
const END: &[u8] = b"]}";

pub(super) async fn status(State(shared): State<Arc<AdminShared>>) -> Response {
    let Some(status) = shared.probes.source().status() else {
        return answer::text(503, "the service is gone\n");
    };
    match json(&status) {
        Ok(json) => answer::new(200, answer::JSON, json),
        Err(error) => answer::text(500, format!("{error}\n")),
    }
}

/// A part of the text that is still to be written.
enum JsonPiece<'a> {
    Status(&'a Status),
    Text(&'static [u8]),
}

/// Writes a tree as serde does, but without recursion, since it may be deep: each status alone, and its end after all below it.
fn json(root: &Status) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut open = vec![JsonPiece::Status(root)];
    while let Some(piece) = open.pop() {
        match piece {
            JsonPiece::Text(piece) => text.extend_from_slice(piece),
            JsonPiece::Status(status) => {
                serde_json::to_writer(&mut text, &status.alone())?;
                text.truncate(text.len() - END.len());
                open.push(JsonPiece::Text(END));
                for (at, child) in status.children().iter().enumerate().rev() {
                    open.push(JsonPiece::Status(child));
                    open.extend((at > 0).then_some(JsonPiece::Text(b",")));
                }
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use startstop_core::{Group, GroupBuilder, Runner, service_fn};

    use super::json;

    fn group(with: impl FnOnce(GroupBuilder) -> GroupBuilder) -> Group {
        with(Group::builder("group")).build().unwrap()
    }

    #[test]
    fn a_tree_is_written_as_serde_does() {
        let idle = || service_fn(async |cx| cx.cancelled().await);
        let pair = group(|pair| pair.with("left", idle()).with("right", idle()));
        let all = group(|all| {
            let empty = group(|empty| empty);
            all.with("a", idle())
                .with("pair", pair)
                .with("empty", empty)
        });
        let status = Runner::new(all).status();
        assert_eq!(
            String::from_utf8(json(&status).unwrap()).unwrap(),
            serde_json::to_string(&status).unwrap()
        );
    }
}
