//! The user of an etcd that asks for one, and the token that it gives.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

#[derive(Clone)]
pub(super) struct Login {
    name: Arc<str>,
    password: Arc<str>,
    token: Arc<Mutex<Option<String>>>,
}

impl Login {
    pub(super) fn new(name: &str, password: &str) -> Self {
        Self {
            name: name.into(),
            password: password.into(),
            token: Arc::default(),
        }
    }

    pub(super) fn body(&self) -> Value {
        json!({ "name": &*self.name, "password": &*self.password })
    }

    pub(super) fn token(&self) -> Option<String> {
        self.lock().clone()
    }

    pub(super) fn remember(&self, token: &str) {
        *self.lock() = Some(token.to_owned());
    }

    /// Another call may have another one already.
    pub(super) fn forget(&self, old: &str) {
        self.lock().take_if(|token| token == old);
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
