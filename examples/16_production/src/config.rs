//! The configuration: a file that is read again on SIGHUP.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use serde::Deserialize;
use startstop_core::{Context, Service};
use tokio::sync::watch;

/// The content of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where customers come in, by HTTPS. As all but `motto`, and the contents of the certificate, it needs a restart.
    pub listen: String,
    /// Where probes, metrics and the page are.
    pub admin: String,
    /// The socket by which a new version takes over from this one.
    pub handover: PathBuf,
    /// `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub database: String,
    /// `redis://HOST`.
    pub redis: String,
    /// The chain of certificates, as PEM.
    pub certificate: PathBuf,
    /// The key of the first one, as PEM.
    pub key: PathBuf,
    /// For how many milliseconds a stop goes on answering, so that balancers can look away: some periods of their probe.
    pub drain: u64,
    /// The text that customers read first.
    pub motto: String,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or says what is not understood.
    ///
    /// # Examples
    ///
    /// ```
    /// let missing = shop::config::Config::read("none.toml".as_ref());
    /// assert!(missing.unwrap_err().to_string().starts_with("none.toml: "));
    /// ```
    pub fn read(path: &Path) -> io::Result<Self> {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|e| io::Error::new(e.kind(), named(&e)))?;
        toml::from_str(&text).map_err(|error| io::Error::other(named(&error)))
    }

    /// The drain, as a duration.
    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain)
    }
}

/// The part that reads the file again. Whoever needs the newest configuration watches it.
#[derive(Debug)]
pub struct Configured {
    path: PathBuf,
    config: watch::Sender<Config>,
}

impl Configured {
    /// Reads a file for the first time.
    ///
    /// # Errors
    ///
    /// See [`Config::read`].
    pub fn from_file(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let config = watch::Sender::new(Config::read(&path)?);
        Ok(Self { path, config })
    }

    /// The configuration of now.
    pub fn now(&self) -> Config {
        self.config.borrow().clone()
    }

    /// The configuration from now on.
    pub fn watch(&self) -> watch::Receiver<Config> {
        self.config.subscribe()
    }
}

impl Service for Configured {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
            match Config::read(&self.path) {
                Ok(config) => {
                    self.config.send_replace(config);
                    reload.done();
                }
                // The old one goes on, and who has asked is told why: the service manager, in its status line.
                Err(error) => reload.failed(error),
            }
        }
        Ok(())
    }
}
