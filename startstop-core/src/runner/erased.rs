//! A runner that does not name the type of its service: what is made of it is compiled with the core, and not for each service of
//! a user.

use std::convert::Infallible;
use std::marker::PhantomData;

use super::Runner;
use crate::service::context::Context;
use crate::service::{Service, SharedRunner};

/// A runner of some service.
pub(crate) type AnyRunner = Runner<AnyType>;

/// The type of a service that is not named. There is no value of it.
pub(crate) enum AnyType {}

impl Service for AnyType {
    type Error = Infallible;

    async fn run(&self, _: Context) -> Result<(), Infallible> {
        match *self {}
    }
}

/// Returns the runner that was shared.
pub(crate) fn unshared(shared: SharedRunner) -> AnyRunner {
    let runner = shared.0.downcast::<AnyRunner>();
    *runner.expect("a runner shares itself without the type of its service")
}

/// The same runner, for what does not depend on the type of the service.
pub(crate) fn erased<S: Service>(mut runner: Runner<S>) -> AnyRunner {
    Runner {
        node: runner.node.take(),
        service: PhantomData,
    }
}
