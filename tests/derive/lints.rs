//! Lints that a user may have made errors say nothing of what the macros write, whatever of it the user has written too.

// An `allow` in what is written would be an error.
#![forbid(unused_imports)]
#![deny(
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::multiple_bound_locations,
    clippy::trait_duplication_in_bounds,
    clippy::type_repetition_in_bounds,
    redundant_lifetimes,
    single_use_lifetimes,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    explicit_outlives_requirements
)]

use startstop_core::{Context, Runner, Service, Settings, service_methods};

/// Bounds as every service has them, written beside the parameters.
#[derive(Debug, Service)]
#[service(start = run, stop = shutdown, name = "named", stop_timeout = "60s", restart = always)]
struct Named<T: Send + Sync + 'static>(T);

impl<T: Send + Sync + 'static> Named<T> {
    async fn run(&self, cx: Context) {
        cx.cancelled().await;
        let _: &T = &self.0;
    }

    async fn shutdown(&self) -> Result<(), String> {
        std::future::ready(Ok(())).await
    }
}

/// The same in a where clause, with marked methods.
#[derive(Debug, Service)]
#[service(name = "marked", error = std::io::Error)]
struct Marked<T>(T)
where
    T: Send + Sync + 'static;

#[service_methods]
impl<T> Marked<T>
where
    T: Send + Sync + 'static,
{
    #[start]
    async fn serve(&self) -> std::io::Result<()> {
        let _: &T = &self.0;
        Ok(())
    }

    #[stop]
    async fn close(&self, _: Context) {}
}

/// The same in a given bound.
#[derive(Debug, Service)]
#[service(start = serve, name = "given", bound = "T: Send + Sync + 'static")]
struct Given<T: Send + Sync + 'static>(T);

impl<T: Send + Sync> Given<T> {
    async fn serve(&self) {
        std::future::ready(()).await;
        let _: &T = &self.0;
    }
}

/// A lifetime, which can only be `'static`.
#[derive(Debug, Service)]
#[service(start = serve, name = "borrowed")]
struct Borrowed<'a, const N: usize>(&'a [u8; N]);

impl<const N: usize> Borrowed<'_, N> {
    async fn serve(&self) {
        let _: usize = std::future::ready(self.0.len()).await;
    }
}

#[derive(Debug, Service)]
#[service(name = "composed", limit(3, "60s"))]
struct Composed<S: Service> {
    #[service(member(on_failure = ignore, on_completion = fail))]
    one: Runner<S>,
    #[service(member(bound_to(one)))]
    other: Runner<Marked<u8>>,
}

/// Only who uses them is to hear that they are deprecated.
#[deprecated]
#[derive(Debug, Service)]
#[service(start = serve, name = "old")]
struct Old;

#[allow(deprecated)]
impl Old {
    async fn serve(&self) {
        std::future::ready(()).await;
    }
}

#[deprecated]
#[derive(Debug, Service)]
#[service(name = "oldest")]
struct Oldest;

#[service_methods]
#[allow(deprecated)]
impl Oldest {
    #[start]
    async fn serve(&self) {
        std::future::ready(()).await;
    }
}

#[allow(deprecated)]
#[derive(Debug, Service)]
#[service(name = "with an old one")]
struct WithOld {
    #[deprecated]
    #[service(member)]
    old: Runner<Old>,
    #[service(member)]
    oldest: Runner<Oldest>,
}

/// The crate by a path of the user's, who has imported all that the macros name.
mod renamed {
    use startstop_core::{self as services, BoxError, Context, Runner, Service, service_methods};

    #[derive(Debug, Service)]
    #[service(crate = services, start = serve, stop = close, name = "renamed", drain = "1s")]
    pub(super) struct Named;

    impl Named {
        async fn serve(&self) {
            std::future::ready(()).await;
        }

        async fn close(&self, cx: Context) -> Result<(), BoxError> {
            cx.cancelled().await;
            Ok(())
        }
    }

    #[derive(Debug, Service)]
    #[service(crate = services)]
    pub(super) struct Marked;

    #[service_methods(crate = services)]
    impl Marked {
        #[start]
        async fn serve(&self) {
            std::future::ready(()).await;
        }
    }

    #[derive(Debug, Service)]
    #[service(crate = services, name = "whole", limit(3, "60s"))]
    pub(super) struct Composed {
        #[service(member(on_failure = ignore))]
        pub(super) one: Runner<Named>,
        #[service(member(bound_to(one)))]
        pub(super) other: Runner<Marked>,
    }
}

fn name(service: &impl Service) -> String {
    let settings: Settings = service.settings();
    settings.get_name().unwrap_or_default().to_owned()
}

#[test]
fn lints_of_the_user_say_nothing_of_what_the_derive_writes() {
    assert_eq!(name(&Named(1)), "named");
    assert_eq!(name(&Marked(1)), "marked");
    assert_eq!(name(&Given(1)), "given");
    assert_eq!(name(&Borrowed(&[1])), "borrowed");
    let (one, other) = (Runner::new(Named(1)), Runner::new(Marked(1)));
    assert_eq!(name(&Composed { one, other }), "composed");
    let (one, other) = (Runner::new(renamed::Named), Runner::new(renamed::Marked));
    assert_eq!(name(&renamed::Composed { one, other }), "whole");
}

#[test]
#[allow(deprecated)]
fn the_derive_does_not_use_what_is_deprecated() {
    let (old, oldest) = (Runner::new(Old), Runner::new(Oldest));
    assert_eq!(name(&WithOld { old, oldest }), "with an old one");
}
