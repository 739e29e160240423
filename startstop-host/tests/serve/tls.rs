//! TLS: what clients see, and which certificate after a reload.

use std::path::Path;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use startstop_core::Settings;
use startstop_host::{Serve, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::server_with;

/// Writes a new certificate and its key.
fn certificate(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    cert.der().clone()
}

/// A request by a client that trusts this certificate alone.
async fn ask(
    addr: std::net::SocketAddr,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await?;
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer).await;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn a_reload_shows_the_new_certificate_and_a_bad_one_changes_nothing() {
    let folder = std::env::temp_dir().join(format!("startstop-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let old = certificate(&folder);
    let tls = Tls::from_files(folder.join("cert.pem"), folder.join("key.pem")).unwrap();
    let server = server_with(Settings::new(), Serve::new().tls(tls)).await;
    assert!(ask(server.addr, &old).await.unwrap().ends_with("web"));

    let new = certificate(&folder);
    assert!(ask(server.addr, &old).await.unwrap().ends_with("web"));
    server.runner.reload().await.unwrap();
    assert!(ask(server.addr, &new).await.unwrap().ends_with("web"));
    ask(server.addr, &old).await.unwrap_err();

    std::fs::write(folder.join("key.pem"), "no key").unwrap();
    let failed = server.runner.reload().await.unwrap_err();
    assert!(format!("{failed:?}").contains("key.pem"), "{failed:?}");
    assert!(ask(server.addr, &new).await.unwrap().ends_with("web"));

    // A client that never ends its handshake holds nothing up.
    let _silent = TcpStream::connect(server.addr).await.unwrap();
    server.runner.stop().await.unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}
