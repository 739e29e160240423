//! TLS: what clients see, and which certificate after a reload.

#[cfg(unix)]
mod mounted;
mod mutual;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use startstop_core::{Context, EventKind, Runner, Settings, service_fn_with};
use startstop_host::{Serve, Tls};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{LONG, server_with};

/// A folder with a certificate and its key, and what the server made of them at first.
struct Files {
    folder: PathBuf,
    trusted: CertificateDer<'static>,
    tls: Tls,
}

impl Files {
    fn new(name: &str) -> Self {
        let name = format!("startstop-tls-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let trusted = certificate(&folder);
        let tls = Tls::from_files(folder.join("cert.pem"), folder.join("key.pem")).unwrap();
        Files {
            folder,
            trusted,
            tls,
        }
    }

    fn serve(&self) -> Serve {
        Serve::new().tls(self.tls.clone())
    }

    fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Writes a new certificate and its key.
fn certificate(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    cert.der().clone()
}

/// The client's side of TLS, which trusts this certificate alone.
fn connector(trusted: &CertificateDer<'static>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn handshake(
    stream: TcpStream,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    connector(trusted).connect(name, stream).await
}

/// A request by a client that trusts this certificate alone.
async fn ask(
    addr: std::net::SocketAddr,
    trusted: &CertificateDer<'static>,
) -> std::io::Result<String> {
    let stream = TcpStream::connect(addr).await?;
    let mut client = handshake(stream, trusted).await?;
    request(&mut client).await
}

async fn request(
    client: &mut TlsStream<impl AsyncRead + AsyncWrite + Unpin>,
) -> std::io::Result<String> {
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await?;
    let mut answer = Vec::new();
    let _ = client.read_to_end(&mut answer).await;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The moment that a client has for its first request after a stop begins when it can send one.
#[tokio::test]
async fn a_handshake_that_ends_long_after_the_stop_leaves_time_for_a_request() {
    let files = Files::new("late");
    let server = server_with(Settings::new().stop_timeout(LONG), files.serve()).await;
    let mut stream = TcpStream::connect(server.addr).await.unwrap();
    // The client says hello before the stop, and hears nothing of the answer until later.
    let (near, mut far) = tokio::io::duplex(64 * 1024);
    let (hello_is_said, said) = tokio::sync::oneshot::channel();
    let (go_on, later) = tokio::sync::oneshot::channel::<()>();
    let between = tokio::spawn(async move {
        let mut hello = vec![0; 16 * 1024];
        let length = far.read(&mut hello).await.unwrap();
        stream.write_all(&hello[..length]).await.unwrap();
        // Its answer has begun, so the server has heard the hello.
        stream.peek(&mut [0]).await.unwrap();
        hello_is_said.send(()).unwrap();
        later.await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut far, &mut stream).await;
    });
    let name = ServerName::try_from("localhost").unwrap();
    let client = tokio::spawn(connector(&files.trusted).connect(name, near));
    said.await.unwrap();
    server.begin_stop().await;
    sleep(Duration::from_millis(200)).await;
    go_on.send(()).unwrap();
    let mut client = client.await.unwrap().unwrap();
    sleep(Duration::from_millis(20)).await;
    assert!(request(&mut client).await.unwrap().ends_with("web"));
    server.runner.stop().await.unwrap();
    drop(client);
    between.await.unwrap();
}

/// As without TLS: its request may be on the way, and it has nothing to lose.
#[tokio::test]
async fn a_client_that_has_not_said_hello_is_waited_for_a_moment_at_a_stop() {
    let files = Files::new("silent");
    let server = server_with(Settings::new().stop_timeout(LONG), files.serve()).await;
    let mut silent = TcpStream::connect(server.addr).await.unwrap();
    let half = &[22, 3, 1, 1, 0, 1];
    let mut slow = TcpStream::connect(server.addr).await.unwrap();
    slow.write_all(half).await.unwrap();
    let late = TcpStream::connect(server.addr).await.unwrap();
    server.begin_stop().await;
    let begin = std::time::Instant::now();
    let mut late = handshake(late, &files.trusted).await.unwrap();
    assert!(request(&mut late).await.unwrap().ends_with("web"));
    server.runner.stop().await.unwrap();
    assert!(begin.elapsed() < LONG / 4, "{:?}", begin.elapsed());
    for client in [&mut silent, &mut slow] {
        assert_eq!(client.read(&mut [0; 8]).await.unwrap_or(0), 0);
    }
}

#[tokio::test]
async fn a_reload_shows_the_new_certificate_and_a_bad_one_changes_nothing() {
    let files = Files::new("reload");
    let server = server_with(Settings::new(), files.serve()).await;
    assert!(
        ask(server.addr, &files.trusted)
            .await
            .unwrap()
            .ends_with("web")
    );

    let new = certificate(&files.folder);
    assert!(
        ask(server.addr, &files.trusted)
            .await
            .unwrap()
            .ends_with("web")
    );
    server.runner.reload().await.unwrap();
    assert!(ask(server.addr, &new).await.unwrap().ends_with("web"));
    ask(server.addr, &files.trusted).await.unwrap_err();

    std::fs::write(files.key(), "no key").unwrap();
    let failed = server.runner.reload().await.unwrap_err();
    assert!(format!("{failed:?}").contains("key.pem"), "{failed:?}");
    assert!(ask(server.addr, &new).await.unwrap().ends_with("web"));

    server.runner.stop().await.unwrap();
}

/// As it is where there are no descriptors left; here it is a socket that cannot accept.
#[cfg(unix)]
#[tokio::test]
async fn a_reload_is_answered_while_no_connection_can_be_accepted() {
    let files = Files::new("full");
    let peer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = TcpStream::connect(peer.local_addr().unwrap())
        .await
        .unwrap();
    let (mut other, _) = peer.accept().await.unwrap();
    other.write_all(b"it is woken").await.unwrap();
    let stream = std::os::fd::OwnedFd::from(stream.into_std().unwrap());
    let listener = TcpListener::from_std(stream.into()).unwrap();
    let service = service_fn_with((listener, files.tls.clone()), async |state, cx: Context| {
        let (listener, tls) = &*state;
        let serve = Serve::new().tls(tls.clone());
        serve.serve(cx, listener, axum::Router::new()).await
    });
    let runner = Runner::new(service);
    let mut events = runner.events();
    runner.start().await.unwrap();
    while !matches!(events.next().await.unwrap().kind(), EventKind::Failed(_)) {}
    timeout(LONG, runner.reload()).await.unwrap().unwrap();
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn an_idle_connection_is_not_closed_without_a_goodbye() {
    let files = Files::new("idle");
    let serve = files.serve().idle_timeout(Duration::from_millis(200));
    let server = server_with(Settings::new(), serve).await;
    let stream = TcpStream::connect(server.addr).await.unwrap();
    let mut client = handshake(stream, &files.trusted).await.unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    // Without the goodbye of TLS this read would be an error: the answer might be cut off.
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert!(answer.ends_with(b"web"));
    server.runner.stop().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn clients_are_served_while_the_certificates_are_read_again() {
    let files = Files::new("slow");
    let server = server_with(Settings::new(), files.serve()).await;
    // A pipe as the key file: reading it takes as long as the writer wants.
    let key = files.key();
    let text = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&key).status();
    assert!(made.unwrap().success());
    let runner = server.runner.clone();
    let reload = tokio::spawn(async move { runner.reload().await });
    let opened =
        tokio::task::spawn_blocking(move || std::fs::File::options().write(true).open(key));
    let mut writer = opened.await.unwrap().unwrap(); // now it is being read
    let answer = timeout(LONG, ask(server.addr, &files.trusted)).await;
    assert!(answer.expect("it answers").unwrap().ends_with("web"));
    std::io::Write::write_all(&mut writer, &text).unwrap();
    drop(writer);
    reload.await.unwrap().unwrap();
    server.runner.stop().await.unwrap();
}
