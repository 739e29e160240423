//! Composed structs: every form of the keys, generics, macros, a type of one member.

#![deny(warnings, missing_docs, clippy::pedantic)]

use std::time::Duration;

use startstop_core::{Backoff, BoxError, OnCompletion, OnFailure, Runner, Service};

const WINDOW: Duration = Duration::from_secs(60);

/// A part.
#[derive(Debug, Service)]
#[service(start = serve)]
pub struct Part;

impl Part {
    #[allow(clippy::unused_async)]
    async fn serve(&self) {}
}

/// Every form of every key.
#[derive(Debug, Service)]
#[service(limit(2 + 1, WINDOW), backoff = Backoff::none(), error = BoxError, name = "all", restart = on_failure)]
pub struct All {
    /// In an order of its own.
    #[service(member, after(r#type, third,))]
    pub first: Runner<Part>,
    #[service(member(on_failure = RestartDependents, on_completion = StopGroup), after())]
    r#type: Runner<Part>,
    #[service(after(r#type))]
    #[service(member(on_failure = OnFailure::RestartAll, on_completion = self.policy, bound_to(r#type)))]
    third: Runner<Part>,
    #[service()]
    policy: OnCompletion,
}

/// Generic.
#[derive(Debug, Service)]
#[service(limit(1, "10s"))]
pub struct Generic<'a, S: Service, T>(#[service(member())] Runner<S>, pub &'a T);

/// Bounds of its own.
#[derive(Debug, Service)]
#[service(bound = "S: Service")]
pub struct Bound<S>
where
    S: Service,
{
    #[service(member)]
    inner: Runner<S>,
}

macro_rules! compose {
    ($name:ident { $($field:ident: $ty:ty),* }) => {
        #[derive(Debug, Service)]
        struct $name { $(#[service(member)] $field: $ty),* }
    };
}

compose!(Made { a: Runner<Part>, b: Runner<All> });

pub mod shadowed {
    //! Names of the prelude are taken by others.

    /// Not that of the prelude.
    pub enum Option {}
    /// Nor this one.
    pub enum Vec {}
    /// Nor this one.
    pub enum Some {}

    /// With a member.
    #[derive(::startstop_core::Service)]
    #[service(limit(1, "1s"))]
    pub struct Shadowed {
        /// The member.
        #[service(member)]
        pub inner: ::startstop_core::Runner<super::Part>,
    }
}

/// Runs it.
pub fn main() {
    let all = All {
        first: Runner::new(Part),
        r#type: Runner::new(Part),
        third: Runner::new(Part),
        policy: OnCompletion::Ignore,
    };
    let made = Runner::new(Made {
        a: Runner::new(Part),
        b: Runner::new(all),
    });
    let _ = Runner::new(Generic(made.service().a.clone(), &1));
    let _ = Runner::new(Bound { inner: made });
    let _ = Runner::new(shadowed::Shadowed {
        inner: Runner::new(Part),
    });
}
