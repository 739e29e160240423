//! The derive without methods, and marked methods without the derive, or beside named ones.

use startstop_core::{Runner, Service, service_methods};

#[derive(Service)]
#[service(name = "no start", stop_timeout = "1s")]
struct NoMethods;

#[derive(Service)]
struct NoMethodsGeneric<T>(T);

struct NoDerive;

#[service_methods]
impl NoDerive {
    #[start]
    async fn serve(&self) {}
    #[stop]
    async fn close(&self) {}
}

struct NoDeriveGeneric<T>(T);

#[service_methods]
impl<T> NoDeriveGeneric<T> {
    #[start]
    async fn serve(&self) {}
    #[stop]
    async fn close(&self) {}
}

#[derive(Service)]
#[service(start = serve)]
struct Both;

#[service_methods]
impl Both {
    #[start]
    async fn serve(&self) {}
    #[stop]
    async fn close(&self) {}
}

#[derive(Service)]
struct Elsewhere;

#[service_methods]
impl Elsewhere {
    #[cfg(any())]
    #[start]
    async fn serve(&self) {}
}

fn main() {
    let _ = Runner::new(NoMethods);
    let _ = Runner::new(NoMethodsGeneric(1));
    let _ = (NoDerive, NoDeriveGeneric(1).0);
    let _ = Runner::new(Both);
    let _ = Runner::new(Elsewhere);
}
