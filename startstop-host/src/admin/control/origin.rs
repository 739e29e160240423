//! The origin of a request, and the host that it is for: a page of another site, or a name that somebody else has pointed at
//! this machine, controls nothing.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, header};

/// Returns whether the `Host` is one of ours, and the `Origin`, if there is one, the same.
pub(super) fn is_ours(authority: Option<&str>, headers: &HeaderMap, hosts: &[String]) -> bool {
    // A host in the target of the request counts before the `Host` header (RFC 9112, 3.2.2).
    let Some(host) = authority.or_else(|| the_only(headers, header::HOST)) else {
        return false;
    };
    if !is_host(name_of(host), hosts) {
        return false;
    }
    !headers.contains_key(header::ORIGIN)
        || the_only(headers, header::ORIGIN).is_some_and(|origin| is_same(origin, host))
}

/// Returns the value of a header that is there once.
fn the_only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).into_iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn is_host(name: &str, hosts: &[String]) -> bool {
    let address = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(name);
    let known = |host: &str| without_dot(host).eq_ignore_ascii_case(without_dot(name));
    address.parse::<IpAddr>().is_ok() || known("localhost") || hosts.iter().any(|host| known(host))
}

/// Leaves out the dot of the root, with which a name is the same.
fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Returns a host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_same(origin: &str, host: &str) -> bool {
    let authority = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::is_ours;

    fn asks(pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        is_ours(None, &headers, &["ops.example".to_owned()])
    }

    #[test]
    fn a_host_is_an_address_or_localhost_or_allowed() {
        let hosts = [
            "127.0.0.1",
            "10.0.0.7:9100",
            "[::1]:9100",
            "LOCALHOST:9100",
            "localhost.:9100",
            "ops.example:1",
            "ops.example.",
        ];
        assert!(hosts.into_iter().all(|host| asks(&[("host", host)])));
        let others = [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:9100",
            "127.0.0.1.",
            ".",
            "",
        ];
        assert!(!others.into_iter().any(|host| asks(&[("host", host)])));
        assert!(!asks(&[]));
        assert!(!asks(&[("host", "localhost"), ("host", "localhost")]));
    }

    #[test]
    fn an_origin_is_the_host_itself() {
        let host = ("host", "localhost:9100");
        assert!(asks(&[host, ("origin", "http://localhost:9100")]));
        assert!(asks(&[host, ("origin", "https://localhost:9100")]));
        for other in [
            "null",
            "",
            "http://localhost",
            "http://evil.example",
            "localhost:9100",
        ] {
            assert!(!asks(&[host, ("origin", other)]), "{other}");
        }
    }
}
