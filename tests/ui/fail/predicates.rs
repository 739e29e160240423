//! Bounds that are not understood, on types and methods that have others.

use startstop_core::{Runner, Service, service_methods};

#[derive(Service)]
#[service(start = serve, bound = "T Store")]
struct Named<T>(T);

impl<T> Named<T> {
    async fn serve(&self) {}
}

#[derive(Service)]
#[service(bound = "T Store")]
struct Marked<T>(T);

#[service_methods(bound = "T Store")]
impl<T> Marked<T> {
    #[start]
    async fn serve(&self) {}
}

trait Store: Send + Sync + 'static {}

impl Store for u8 {}

#[derive(Service)]
#[service(bound = "T: Store")]
struct Bound<T>(T);

#[service_methods(bound = "T Store")]
impl<T> Bound<T> {
    #[start]
    async fn serve(&self) {}
}

#[derive(Service)]
#[service(bound = "T: Store")]
struct Slip<T>(T);

#[service_methods(bond = "T: Store")]
impl<T> Slip<T> {
    #[start]
    async fn serve(&self) {}
}

fn main() {
    let _ = Runner::new(Named(1_u8)).service().0;
    let _ = Runner::new(Marked(1_u8)).service().0;
    let _ = Runner::new(Bound(1_u8)).service().0;
    let _ = Runner::new(Slip(1_u8)).service().0;
}
