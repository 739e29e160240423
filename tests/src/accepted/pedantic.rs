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
    redundant_lifetimes,
    redundant_imports,
    unused_results,
    unnameable_types,
    meta_variable_misuse,
    explicit_outlives_requirements,
    impl_trait_redundant_captures,
    rust_2018_idioms
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

/// A lifetime alone, and marked methods.
#[derive(Debug, Service)]
pub struct Borrowed<'a>(&'a str);

#[service_methods]
impl Borrowed<'_> {
    #[start]
    async fn serve(&self) {
        let _ = self.0;
    }
}

/// The bounds of every service, also written out.
#[derive(Debug, Service)]
#[service(start = run, stop = shutdown)]
pub struct Bound<T: Send + Sync + 'static>(T);

impl<T: Send + Sync + 'static> Bound<T> {
    async fn run(&self) {
        let _ = &self.0;
    }
    async fn shutdown(&self) {}
}

/// Members.
#[derive(Debug, Service)]
#[service(limit(3, "1m"))]
pub struct App<S: Service> {
    /// One.
    #[service(member(on_failure = ignore, on_completion = fail))]
    pub one: startstop_core::Runner<S>,
    /// Another.
    #[service(member(bound_to(one)))]
    pub other: startstop_core::Runner<Bound<u8>>,
}

fn service<S: Service>(service: S) {
    assert!(size_of_val(&service) < 1_000);
}

/// Runs it.
pub fn main() {
    service(Named(&[1, 2]));
    service(Marked(1));
    service(Borrowed(""));
    service(Bound(1));
    let runner = || startstop_core::Runner::new(Bound(1_u8));
    service(App {
        one: runner(),
        other: runner(),
    });
}
