//! `POST /control/ACTION/PATH`: start, stop, restart and reload, for whoever has the token.

mod origin;

use std::hint::black_box;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use startstop_core::StartStop;

use super::{AdminShared, answer};

/// The callers that may control the service, and their way to prove it.
#[derive(Clone, Default)]
pub(super) struct Control {
    /// Without one there is no control.
    token: Option<Arc<str>>,
    /// The names of this host, beside addresses and `localhost`.
    hosts: Arc<[String]>,
}

impl Control {
    pub(super) fn new(token: Option<&str>, hosts: &[String]) -> Self {
        Self {
            token: token.map(Into::into),
            hosts: hosts.into(),
        }
    }
}

/// Refuses in the order of what is known without the token, so that nobody learns from an answer which parts there are.
pub(super) async fn control(
    State(shared): State<Arc<AdminShared>>,
    target: Result<Path<String>, PathRejection>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let control = &shared.control;
    if method != Method::POST {
        let mut answer = answer::text(405, "control is by POST\n");
        answer
            .headers_mut()
            .insert(header::ALLOW, header::HeaderValue::from_static("POST"));
        return answer;
    }
    let authority = uri.authority().map(axum::http::uri::Authority::as_str);
    if !origin::is_ours(authority, &headers, &control.hosts) {
        return answer::text(403, "the Origin or Host is not ours\n");
    }
    let Some(token) = &control.token else {
        return answer::text(404, "there is no control here\n");
    };
    if !bears(&headers, token) {
        return unauthorized();
    }
    // A target that is no text names no part.
    match target.ok().and_then(|target| asked(&shared, &target)) {
        Some((ask, part)) => {
            // The service's runtime, not that of this thread, runs what the request starts.
            let _runtime = shared.probes.runtime().map(tokio::runtime::Handle::enter);
            ask(&*part);
            answer::text(202, "asked for\n")
        }
        None => answer::text(404, "there is no such action or path\n"),
    }
}

fn unauthorized() -> Response {
    let mut answer = answer::text(401, "no token, or a wrong one\n");
    let bearer = header::HeaderValue::from_static("Bearer");
    answer
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, bearer);
    answer
}

type ControlCall = fn(&dyn StartStop);

/// Returns the request that `target` stands for, and the service that it is for: `restart/shop/db`.
fn asked(shared: &AdminShared, target: &str) -> Option<(ControlCall, Arc<dyn StartStop>)> {
    let (action, path) = target.split_once('/')?;
    let ask: ControlCall = match action {
        "start" => |part| part.request_start(),
        "stop" => |part| part.request_stop(),
        "restart" => |part| part.request_restart(),
        "reload" => |part| part.request_reload(),
        _ => return None,
    };
    Some((ask, shared.probes.source().handle()?.find(path)?))
}

/// Returns whether a request bears the token.
fn bears(headers: &HeaderMap, token: &str) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split_once(' '));
    let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"));
    given.is_some_and(|(_, given)| is_same(given.trim().as_bytes(), token.as_bytes()))
}

/// Compares in a time that depends on the length of what is given alone.
fn is_same(given: &[u8], token: &[u8]) -> bool {
    let differs = |(at, byte): (usize, &u8)| usize::from(byte ^ token[at % token.len()]);
    let differences = given
        .iter()
        .enumerate()
        .map(differs)
        .fold(0, |all, one| black_box(all | one));
    black_box(differences | (given.len() ^ token.len())) == 0
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn only_the_token_itself_is_the_same() {
        assert!(is_same(b"secret", b"secret"));
        for other in [
            "",
            "s",
            "secre",
            "secret1",
            "secretsecret",
            "Secret",
            "terces",
        ] {
            assert!(!is_same(other.as_bytes(), b"secret"), "{other}");
        }
    }
}
