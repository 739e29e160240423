//! Methods marked in an impl block, also in another module, with generics, a private method and methods by `cfg`.

#![deny(warnings, missing_docs)]

use std::fmt::Debug;
use std::io;

use startstop_core::{Context, Service};

/// The impl block is in another module.
#[derive(Debug, Service)]
#[service(name = "http", error = io::Error)]
pub struct Http;

mod methods {
    use startstop_core::{Context, service_methods};

    use super::Http;

    #[service_methods]
    impl Http {
        /// A constant between the methods, with braces in its type.
        pub(crate) const PORTS: [u16; {
            const N: usize = 2;
            N
        }] = [80, 443];

        #[start]
        async fn serve(&self, cx: Context) -> std::io::Result<()> {
            cx.cancelled().await;
            Ok(())
        }

        #[stop]
        async fn close(&self) {
            let _ = Self::PORTS;
        }
    }
}

/// Generic, with a lifetime, a constant and a where clause.
#[derive(Debug, Service)]
#[service(bound = "T: Store")]
pub struct Cache<'a, T, const N: usize>
where
    T: Debug,
{
    keys: [&'a str; N],
    store: T,
}

/// The entries of a cache.
pub trait Store: Debug + Send + Sync + 'static {}

impl Store for String {}

#[startstop_core::service_methods(bound = "T: Sync")]
impl<'a, T: Store, const N: usize> Cache<'a, T, N> {
    #[start]
    async fn serve(&self, _: Context) {
        let _ = (&self.store, self.keys);
    }
}

/// With methods that are not there in every build.
#[derive(Debug, Service)]
pub struct Alternatives;

#[startstop_core::service_methods]
impl Alternatives {
    #[cfg(windows)]
    #[start]
    async fn serve(&self, cx: Context) -> io::Result<()> {
        cx.cancelled().await;
        Ok(())
    }

    #[start]
    #[cfg(not(windows))]
    async fn serve(&self) {}

    #[cfg(any())]
    #[stop]
    async fn close(&self) {}
}

fn service<S: Service>(service: S) {
    let _ = service.boxed();
}

/// Runs it.
pub fn main() {
    service(Http);
    service(Alternatives);
    service(Cache {
        keys: ["a"],
        store: String::new(),
    });
}
