//! Methods that demand more of a type parameter than the derive knows of.

use startstop_core::{Runner, Service, service_methods};

trait Store: Send + Sync + 'static {}

impl Store for u8 {}

#[derive(Service)]
#[service(start = serve)]
struct Named<T>(T);

impl<T: Store> Named<T> {
    async fn serve(&self) {}
}

#[derive(Service)]
struct Marked<T>(T);

#[service_methods]
impl<T: Store> Marked<T> {
    #[start]
    async fn serve(&self) {}
}

#[derive(Service)]
#[service(start = serve, bound = "T: Store")]
struct Used<T>(T);

impl<T: Store> Used<T> {
    async fn serve(&self) {}
}

fn main() {
    let _ = Runner::new(Named(1_u8)).service().0;
    let _ = Runner::new(Marked(1_u8)).service().0;
    let _ = Runner::new(Used(1_u8)).service().0;
}
