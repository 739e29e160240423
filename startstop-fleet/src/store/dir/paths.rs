//! Names of leases as names of files, and back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

const LEASE: &str = ".lease";

/// As long as a file name may be, less what is put behind it.
const LONGEST: usize = 200;

pub(super) fn check(name: &str) -> Result<(), StoreError> {
    let length = encoded(name).len();
    match length {
        0 => Err(StoreError::refused("the name of a lease is empty")),
        1..=LONGEST => Ok(()),
        _ => Err(StoreError::refused(format!(
            "the name of a lease is too long for a file: {name}"
        ))),
    }
}

pub(super) fn lease(folder: &Path, name: &str) -> PathBuf {
    with(folder, name, LEASE)
}

pub(super) fn lock(folder: &Path, name: &str) -> PathBuf {
    with(folder, name, ".lock")
}

pub(super) fn fence(folder: &Path, name: &str) -> PathBuf {
    with(folder, name, ".fence")
}

/// Returns the file that the holder of a term keeps locked for life.
pub(super) fn life(folder: &Path, name: &str, fence: u64) -> PathBuf {
    with(folder, name, &format!(".{fence}.life"))
}

fn with(folder: &Path, name: &str, end: &str) -> PathBuf {
    folder.join(encoded(name) + end)
}

/// Returns the names of all leases in a folder, sorted; of none if there is no folder yet.
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let file = entry?.file_name();
        let name = file
            .to_str()
            .and_then(|file| file.strip_suffix(LEASE))
            .and_then(decoded);
        names.extend(name);
    }
    names.sort_unstable();
    Ok(names)
}

/// Letters, digits, `-` and `_` stand for themselves, other bytes as `%2f`.
fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let encode = |byte| match byte {
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02x}"),
    };
    name.bytes().map(encode).collect()
}

fn decoded(file: &str) -> Option<String> {
    let mut parts = file.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend(part[2..].bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{check, decoded, encoded};

    #[test]
    fn a_name_comes_back_from_its_file() {
        for name in ["invoices", "orders/shards/17", "ä.b %41", "..", "a\0b"] {
            let file = encoded(name);
            assert!(!file.contains(['/', '.', '\0']), "{file}");
            assert_eq!(decoded(&file).as_deref(), Some(name));
        }
        assert_eq!(decoded("%4"), None);
    }

    #[test]
    fn a_name_that_no_file_can_have_is_refused() {
        assert!(check("invoices").is_ok());
        assert!(check("").is_err());
        assert!(check(&"a".repeat(300)).is_err());
    }
}
