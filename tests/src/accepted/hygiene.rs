//! The user's scope cannot change what the macros write: no prelude, names of the prelude taken by
//! other things, raw identifiers, a local type, a type from `macro_rules!`.

#![no_implicit_prelude]
#![deny(warnings, missing_docs)]
#![allow(
    dead_code,
    non_camel_case_types,
    non_upper_case_globals,
    reason = "the shadows are there to be in the way"
)]

mod shadows {
    pub(crate) struct Result;
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct Some;
    pub(crate) struct Box;
    pub(crate) struct Context;
    pub(crate) struct Settings;
    pub(crate) struct Duration;
    pub(crate) struct cx;
    pub(crate) struct service;
    pub(crate) struct self_;
    pub(crate) const parts: u8 = 1;
    pub(crate) const both: u8 = 1;
    pub(crate) fn call() {}
    pub(crate) enum Service {}
    pub(crate) struct Option;
    pub(crate) struct Vec;
    pub(crate) trait Send {}
    pub(crate) trait Sync {}
    pub(crate) trait Future {}
    pub(crate) mod std {}
    pub(crate) mod core {}
    pub(crate) mod startstop_core {}
}

/// Everything that the macros use, by another meaning.
pub mod shadowed {
    #[allow(unused_imports, reason = "the shadows are there to be in the way")]
    use super::shadows::*;
    use ::startstop_core::{Context as Cx, Service, service_methods};

    /// Named methods with raw identifiers, a raw type parameter.
    #[derive(Service)]
    #[service(start = r#async, stop = r#loop, name = "raw", stop_timeout = "1s", restart = always)]
    pub struct r#type<r#box, const N: usize>(pub [r#box; N])
    where
        Self: ::std::marker::Sized;

    impl<r#box: ::std::marker::Send + ::std::marker::Sync, const N: usize> r#type<r#box, N> {
        async fn r#async(&self, context: Cx) -> ::std::result::Result<(), ::std::io::Error> {
            context.cancelled().await;
            ::std::result::Result::Ok(())
        }
        async fn r#loop(&self) {}
    }

    /// Marked methods.
    #[derive(Service)]
    #[service(drain = "1s", error = <Self as Fails>::Error)]
    pub struct Marked;

    /// Names an error through `Self`.
    pub trait Fails {
        /// The error.
        type Error;
    }

    impl Fails for Marked {
        type Error = ::std::io::Error;
    }

    #[service_methods]
    impl Marked {
        #[start]
        async fn r#match(&self) -> ::std::result::Result<(), <Self as Fails>::Error> {
            ::std::result::Result::Ok(())
        }
        #[stop]
        async fn close(&self, context: Cx) {
            context.cancelled().await;
        }
    }

    /// Methods named as those of the trait, and parameters as what the macros could write.
    #[derive(Service)]
    #[service(start = run, stop = shutdown, bound = "")]
    pub struct Same<cx: ::std::marker::Send + ::std::marker::Sync + 'static>(pub cx);

    impl<cx: ::std::marker::Send + ::std::marker::Sync + 'static> Same<cx> {
        async fn run(&self) {}
        async fn shutdown(&self) {}
    }

    /// Members.
    #[derive(Service)]
    #[service(limit(3, "1m"))]
    pub struct Composed {
        /// With everything that a member may have.
        #[service(member(on_failure = restart_all, on_completion = ignore))]
        pub r#dyn: ::startstop_core::Runner<Marked>,
        /// After it.
        #[service(member, after(r#dyn))]
        pub last: ::startstop_core::Runner<Marked>,
    }
}

macro_rules! declare {
    ($name:ident, $start:ident, $error:ty, $text:literal, $patience:expr, $timeout:expr) => {
        #[derive(::startstop_core::Service)]
        #[service(start = $start, error = $error, name = $text, stop_timeout = $patience, start_timeout = $timeout)]
        struct $name;

        impl $name {
            async fn $start(&self) -> ::std::result::Result<(), $error> {
                ::std::result::Result::Ok(())
            }
        }
    };
}

declare!(
    Declared,
    serve,
    ::std::io::Error,
    "declared",
    "5s",
    ::std::time::Duration::MAX
);

fn service<S: ::startstop_core::Service>(service: S) {
    let _ = service.boxed();
}

/// Runs it.
pub fn main() {
    #[derive(::startstop_core::Service)]
    #[service(start = serve)]
    struct Local<T: ::std::clone::Clone = u8>(T);

    impl<T: ::std::clone::Clone> Local<T> {
        async fn serve(&self) {
            let _ = ::std::clone::Clone::clone(&self.0);
        }
    }

    service(Local(1_u8));
    service(Declared);
    service(shadowed::r#type([1, 2]));
    service(shadowed::Marked);
    service(shadowed::Same(1));
    let marked = || ::startstop_core::Runner::new(shadowed::Marked);
    service(shadowed::Composed {
        r#dyn: marked(),
        last: marked(),
    });
}
