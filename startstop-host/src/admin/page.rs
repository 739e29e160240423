//! `/`: the page, made here, so that it works without JavaScript; with it, its rows are asked for again when something happens.

mod row;
mod words;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use startstop_core::Status;

use super::{AdminShared, answer};
use words::Escaped;

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// Nothing but this style and this script, by their hashes, and nobody puts the page into a frame.
const POLICY: &str = concat!(
    "default-src 'none'; style-src 'sha256-c53a+xpP/Nz8IOg4qYeiDfMfYPNG42dJ2Sb/9URQfR8='; ",
    "script-src 'sha256-c+YwQtglF8oeR9bygMpKNxDrZSu21bUiIC5uOuXNlTA='; ",
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
);
const HTML: &str = "text/html; charset=utf-8";

pub(super) async fn page(
    State(shared): State<Arc<AdminShared>>,
    query: Query<Vec<(String, String)>>,
) -> Response {
    let Some(status) = shared.probes.source().status() else {
        return answer::text(503, "the service is gone\n");
    };
    let only_rows = query.iter().any(|(key, _)| key == "rows");
    let body = if only_rows {
        row::rows(&status)
    } else {
        whole(&status)
    };
    let mut answer = answer::new(200, HTML, body);
    answer.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    answer.headers_mut().insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    answer
}

fn whole(status: &Status) -> String {
    let (name, rows) = (Escaped(status.name()), row::rows(status));
    let heads = format!(
        "<th scope=\"col\">{}",
        row::COLUMNS.join("<th scope=\"col\">")
    );
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{name}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<h1>{name}</h1>\n<p id=\"live\" role=\"status\"></p>\n<table>\n<thead><tr>{heads}</thead>\n\
         <tbody id=\"rows\">\n{rows}</tbody>\n</table>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::{POLICY, SCRIPT, STYLE};

    /// As the policy has it.
    fn hash(text: &str) -> String {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut bytes = Sha256::digest(text.as_bytes()).to_vec();
        bytes.push(0);
        let digits = bytes.chunks(3).flat_map(|three| {
            let bits = three
                .iter()
                .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
            [18, 12, 6, 0].map(|shift| char::from(DIGITS[bits >> shift & 63]))
        });
        format!("'sha256-{}='", digits.take(43).collect::<String>())
    }

    #[test]
    fn the_policy_allows_the_style_and_the_script_of_the_page() {
        for text in [STYLE, SCRIPT] {
            assert!(
                POLICY.contains(&hash(text)),
                "the policy lacks {}",
                hash(text)
            );
        }
    }
}
