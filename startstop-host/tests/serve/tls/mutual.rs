//! TLS in which the client has a certificate too, by a configuration of one's own.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use startstop_core::Settings;
use startstop_host::{Serve, Tls};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::{ask, request, server_with};

/// A certificate, and its key.
type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn identity(name: &str) -> Identity {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    (cert.der().clone(), key)
}

fn trusting(certificate: &CertificateDer<'static>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    roots
}

/// Shows the first certificate, and serves clients that show the second one.
fn server_config((certificate, key): Identity, client: &CertificateDer<'static>) -> ServerConfig {
    let provider = Arc::new(default_provider());
    let roots = Arc::new(trusting(client));
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

fn client((certificate, key): Identity, server: &CertificateDer<'static>) -> TlsConnector {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusting(server))
        .with_client_auth_cert(vec![certificate], key)
        .unwrap();
    TlsConnector::from(Arc::new(config))
}

#[tokio::test]
async fn a_client_without_the_certificate_that_is_asked_for_is_not_served() {
    let (server, known, unknown) = (identity("localhost"), identity("known"), identity("other"));
    let shown = server.0.clone();
    let tls = Tls::from_config(Arc::new(server_config(server, &known.0)));
    let server = server_with(Settings::new(), Serve::new().tls(tls)).await;
    let name = ServerName::try_from("localhost").unwrap();
    for (who, is_served) in [(known, true), (unknown, false)] {
        let stream = TcpStream::connect(server.addr).await.unwrap();
        let connected = client(who, &shown).connect(name.clone(), stream).await;
        let answer = match connected {
            Ok(mut client) => request(&mut client).await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        assert_eq!(answer.ends_with("web"), is_served, "{answer}");
    }
    // None at all.
    let answer = ask(server.addr, &shown).await.unwrap_or_default();
    assert_eq!(answer, "");
    server.runner.stop().await.unwrap();
}
