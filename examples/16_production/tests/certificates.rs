//! Certificates that certify themselves.

use std::fs;
use std::path::Path;

use rcgen::{CertifiedKey, generate_simple_self_signed};

/// The name in all of them.
pub(crate) const NAME: &str = "shop.test";

/// Writes a new certificate and its key, and returns the certificate.
pub(crate) fn write(folder: &Path) -> Vec<u8> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([NAME.to_owned()]).unwrap();
    fs::write(folder.join("tls.crt"), cert.pem()).unwrap();
    fs::write(folder.join("tls.key"), signing_key.serialize_pem()).unwrap();
    cert.der().to_vec()
}
