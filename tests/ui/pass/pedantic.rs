//! Generated code raises no lint of an older edition, nor those that are off by default.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    unused_lifetimes,
    single_use_lifetimes,
    elided_lifetimes_in_paths,
    let_underscore_drop,
    trivial_casts,
    unit_bindings,
    non_ascii_idents,
    rust_2018_idioms,
    future_incompatible
)]

use startstop_core::{Context, Service, service_methods};

/// Named methods, all kinds of parameters.
#[derive(Debug, Service)]
#[service(start = serve, stop = close, stop_timeout = "60s", restart = always, readiness = explicit)]
pub struct Named<'a, T, const N: usize>(&'a [T; N]);

impl<T, const N: usize> Named<'_, T, N> {
    async fn serve(&self, cx: Context) {
        cx.cancelled().await;
        let _ = self.0.len();
    }
    async fn close(&self) -> Result<(), String> {
        std::future::ready(Ok(())).await
    }
}

/// Marked methods.
#[derive(Debug, Service)]
#[service(error = std::io::Error)]
pub struct Marked<T>(T);

#[service_methods]
impl<T> Marked<T> {
    #[start]
    async fn serve(&self) -> std::io::Result<()> {
        let _ = &self.0;
        Ok(())
    }
    #[stop]
    async fn close(&self, _: Context) {}
}

fn service<S: Service>(service: S) -> usize {
    size_of_val(&service)
}

fn main() {
    service(Named(&[1, 2]));
    service(Marked(1));
}
