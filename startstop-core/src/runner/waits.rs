//! What can be waited for: an end, a state, a change.

use std::future::Future;
use std::sync::Arc;

use super::{Runner, StateWatch};
use crate::engine::Node;
use crate::engine::request;
use crate::engine::request::pending::wait_reply;
use crate::engine::waiters::Answer;
use crate::report::state::{Exit, State};
use crate::service::Service;

impl<S: Service> Runner<S> {
    /// Waits until the cycle that is current now, at this call, has ended: how it did. For a runner that
    /// is stopped it is the end of the last cycle. A service that does not yield keeps this pending until
    /// it does.
    ///
    /// # Examples
    ///
    /// See [`Exit`].
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; a new call waits for the cycle that is current then.
    pub fn wait(&self) -> impl Future<Output = Exit> + Send + use<'_, S> {
        wait_reply(&self.inner, request::wait(&self.inner.shared), Answer::end)
    }

    /// Waits until the service is in a state, or has been in it since this call.
    ///
    /// # Examples
    ///
    /// See [`request_start`](Self::request_start).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped; a new call sees the states from then on.
    pub fn wait_for(&self, state: State) -> impl Future<Output = ()> + Send + use<'_, S> {
        wait_reply(&self.inner, request::wait_for(&self.inner.shared, state), Answer::seen)
    }

    /// A watch on the state.
    ///
    /// # Examples
    ///
    /// See [`StateWatch`].
    pub fn subscribe(&self) -> StateWatch {
        StateWatch::new(&(Arc::clone(&self.inner) as Arc<dyn Node>))
    }
}
