//! TLS, with certificates that are read again.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use startstop_core::{Context, Reload};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{sleep, timeout};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;

use super::connection::half_of_a_stop;
use super::phase::ON_ITS_WAY;

/// The certificate with its key that [`Serve::tls`](crate::Serve::tls) shows to clients, from PEM files that are read again
/// when the service is asked to reload.
///
/// Each reading makes a new configuration of rustls: with only the key replaced in an old one, clients resume with the old
/// certificate (rustls 0.23). Connections that are open keep the certificate that they began with. If the files cannot be read,
/// the reload fails and the old certificate stays.
///
/// # Examples
///
/// ```no_run
/// use axum::Router;
/// use startstop_core::{Context, Reload};
/// use startstop_host::{Serve, Tls};
///
/// async fn run(cx: Context) -> std::io::Result<()> {
///     let listener = tokio::net::TcpListener::bind("0.0.0.0:443").await?;
///     let tls = Tls::from_files("cert.pem", "key.pem")?;
///     Serve::new().tls(tls).serve(cx, listener, Router::new()).await
/// }
/// ```
#[derive(Clone)]
pub struct Tls {
    inner: Arc<TlsInner>,
}

struct TlsInner {
    files: Option<(PathBuf, PathBuf)>,
    config: Mutex<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads a chain of certificates and the key of the first, each from a PEM file.
    ///
    /// # Examples
    ///
    /// ```
    /// let missing = startstop_host::Tls::from_files("none.pem", "none.key").unwrap_err();
    /// assert!(missing.to_string().contains("none.pem"));
    /// ```
    ///
    /// # Errors
    ///
    /// If a file cannot be read, holds nothing of its kind, or if certificate and key do not belong together.
    pub fn from_files(certificates: impl AsRef<Path>, key: impl AsRef<Path>) -> io::Result<Self> {
        let files = (certificates.as_ref().to_owned(), key.as_ref().to_owned());
        let config = Mutex::new(read(&files)?);
        Ok(Self {
            inner: Arc::new(TlsInner {
                files: Some(files),
                config,
            }),
        })
    }

    /// Takes a configuration of one's own, which is never read again.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use startstop_host::{Serve, Tls};
    /// use tokio_rustls::rustls::ServerConfig;
    ///
    /// fn server(config: Arc<ServerConfig>) -> Serve {
    ///     Serve::new().tls(Tls::from_config(config))
    /// }
    /// ```
    pub fn from_config(config: Arc<ServerConfig>) -> Self {
        Self {
            inner: Arc::new(TlsInner {
                files: None,
                config: Mutex::new(config),
            }),
        }
    }

    /// Reads the files again. [`Serve`](crate::Serve) does so when its service is asked to reload.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn main() -> std::io::Result<()> {
    /// let tls = startstop_host::Tls::from_files("cert.pem", "key.pem")?;
    /// tls.reload()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_files`](Self::from_files); then the old certificate stays.
    pub fn reload(&self) -> io::Result<()> {
        if let Some(files) = &self.inner.files {
            let config = read(files)?;
            *self
                .inner
                .config
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = config;
        }
        Ok(())
    }

    fn config(&self) -> Arc<ServerConfig> {
        let config = self.inner.config.lock();
        Arc::clone(&config.unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn is_of_files(&self) -> bool {
        self.inner.files.is_some()
    }

    /// Reads the files again, off the workers, and answers.
    pub(super) async fn read_again(&self, reload: Reload) {
        let tls = self.clone();
        match tokio::task::spawn_blocking(move || tls.reload()).await {
            Ok(Ok(())) => reload.done(),
            Ok(Err(error)) => reload.failed(error),
            Err(error) => reload.failed(error),
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is left out.
        f.debug_struct("Tls")
            .field("files", &self.inner.files)
            .finish_non_exhaustive()
    }
}

/// Files that are replaced between two reads do not fit together, or are not there: the second look sees those of after that.
fn read(files: &(PathBuf, PathBuf)) -> io::Result<Arc<ServerConfig>> {
    read_once(files).or_else(|_| read_once(files))
}

fn read_once((certificates, key): &(PathBuf, PathBuf)) -> io::Result<Arc<ServerConfig>> {
    let wrong = |path: &Path, error: &dyn fmt::Display| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{}: {error}", path.display()),
        )
    };
    let chain = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(certificates, &error))?;
    if chain.is_empty() {
        return Err(wrong(certificates, &"holds no certificate"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(certificates, &error))?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| wrong(key, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Returns the connection after its handshake, for which there is the header timeout; after a stop half of what is left, too. A client
/// that has not said hello by then may be about to, as one that has sent no request.
pub(super) async fn in_time<I: AsyncRead + AsyncWrite + Unpin>(
    cx: &Context,
    tls: &Tls,
    io: I,
    limit: Duration,
) -> Option<TlsStream<I>> {
    let handshake = async {
        let hello = tokio::select! {
            hello = LazyConfigAcceptor::new(Acceptor::default(), io) => hello.ok()?,
            () = a_moment_after_a_stop(cx) => return None,
        };
        hello.into_stream(tls.config()).await.ok()
    };
    tokio::select! {
        done = timeout(limit, handshake) => done.ok()?,
        () = half_of_a_stop(cx) => None,
    }
}

async fn a_moment_after_a_stop(cx: &Context) {
    cx.cancelled().await;
    sleep(ON_ITS_WAY).await;
}
