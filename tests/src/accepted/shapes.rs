//! All four shapes of a method, in every pairing of start and stop, on every kind of type.

#![deny(warnings, missing_docs)]

use std::io;

use startstop_core::{Context, Service};

/// Without a context, without a result.
#[derive(Debug, Service)]
#[service(start = serve, stop = close)]
pub struct Unit;

impl Unit {
    async fn serve(&self) {}
    async fn close(&self, cx: Context) -> io::Result<()> {
        cx.cancelled().await;
        Ok(())
    }
}

/// With a context, with a result.
#[derive(Debug, Service)]
#[service(start = serve, stop = close)]
pub struct Tuple(u8);

impl Tuple {
    async fn serve(&self, cx: Context) -> Result<(), io::Error> {
        cx.cancelled().await;
        if self.0 == 0 {
            Ok(())
        } else {
            Err(io::Error::other("not zero"))
        }
    }
    async fn close(&self) {}
}

/// With a context, without a result; an error that is no `std::error::Error`.
#[derive(Debug, Service)]
#[service(start = serve, stop = close)]
pub enum Either {
    /// A variant that has the name of an associated type.
    Error,
    /// Another.
    Named {
        /// A field.
        port: u16,
    },
}

impl Either {
    async fn serve(&self, cx: Context) {
        cx.cancelled().await;
    }
    async fn close(&self) -> Result<(), String> {
        match self {
            Self::Error => Err("error".to_owned()),
            Self::Named { port } => Err(format!("{port} is in use")),
        }
    }
}

/// No stop method; a start that never returns, and one that returns a future by hand.
#[derive(Debug, Service)]
#[service(start = serve)]
pub struct Endless;

impl Endless {
    async fn serve(&self) -> ! {
        std::future::pending().await
    }
}

/// A method that is not `async` by its keyword.
#[derive(Debug, Service)]
#[service(start = serve)]
pub struct ByHand;

impl ByHand {
    fn serve(&self, _: Context) -> impl Future<Output = Result<(), &'static str>> + Send {
        std::future::ready(Ok(()))
    }
}

fn service<S: Service>(service: S) {
    let _ = service.boxed();
}

/// Methods that are named as those of the trait.
#[derive(Debug, Service)]
#[service(start = run, stop = shutdown)]
pub struct SameNames;

impl SameNames {
    async fn run(&self, cx: Context) {
        cx.cancelled().await;
    }
    async fn shutdown(&self) -> Result<(), io::Error> {
        Ok(())
    }
}

/// Runs it.
pub fn main() {
    service(Unit);
    service(Tuple(1));
    service(Either::Named { port: 80 });
    service(Either::Error);
    service(Endless);
    service(ByHand);
    service(SameNames);
}
