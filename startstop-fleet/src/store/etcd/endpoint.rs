//! The address of a member of etcd, which may say who we are.

use crate::store::StoreError;

/// The address of an endpoint, and who we are for it.
pub(super) type Endpoint = (String, Option<(String, String)>);

pub(super) fn parse(text: &str) -> Result<Endpoint, StoreError> {
    let wrong = |why: &dyn std::fmt::Display| {
        StoreError::refused(format!(
            "{text:?} is no endpoint of etcd, as http://10.0.0.1:2379 is: {why}"
        ))
    };
    let mut url = reqwest::Url::parse(text).map_err(|error| wrong(&error))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong(&"neither http nor https"));
    }
    let plain = |part: &str| percent_decoded(part);
    let password = url.password().map(plain).unwrap_or_default();
    let user = Some(plain(url.username())).filter(|name| !name.is_empty());
    // The client would send a name left in the address as basic authentication.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok((url.to_string(), user.map(|name| (name, password))))
}

/// Decodes the percent signs of a URL: `%40` is an `@`.
fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            None => bytes.extend([b"%", part.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
