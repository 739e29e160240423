//! The file of a token, which may be another one each hour.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A file that is read for each request.
#[derive(Clone)]
pub(super) struct TokenFile(Arc<TokenFileShared>);

struct TokenFileShared {
    path: PathBuf,
    last: Mutex<Option<String>>,
}

impl TokenFile {
    pub(super) fn at(path: impl Into<PathBuf>) -> Self {
        let (path, last) = (path.into(), Mutex::new(None));
        Self(Arc::new(TokenFileShared { path, last }))
    }

    /// Returns the token, without the line end that clients refuse. As with `kubectl` it is the one that was read last where the file
    /// cannot be read or is empty: some take it away after the start.
    pub(super) fn read(&self) -> io::Result<String> {
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        match (self.try_read(), &*last) {
            (Ok(token), _) => Ok(last.insert(token).clone()),
            (Err(_), Some(token)) => Ok(token.clone()),
            (Err(error), None) => {
                let path = self.0.path.display();
                let text = format!("the token file {path}: {error}");
                Err(io::Error::new(error.kind(), text))
            }
        }
    }

    fn try_read(&self) -> io::Result<String> {
        let text = std::fs::read_to_string(&self.0.path)?;
        match text.trim() {
            "" => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is empty")),
            token => Ok(token.to_owned()),
        }
    }
}
