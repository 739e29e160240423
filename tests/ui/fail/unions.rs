//! Mistakes of all kinds in one declaration: a key, a method and a field, each told of once.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::MutexGuard;

use startstop_core::{Context, Runner, Service, service_methods};

#[derive(Service)]
#[service(start = serve, stop = halt, colour = 3)]
struct Named(Cell<u8>);
impl Named {
    async fn serve(&self) {
        std::future::ready(()).await;
        self.0.set(1);
    }
}

#[derive(Service)]
#[service(start = run, stop = close, stop_timeout = 10)]
struct OfTrait(MutexGuard<'static, u8>);
impl OfTrait {
    async fn close(&self) -> u8 {
        std::future::ready(()).await;
        *self.0
    }
}

#[derive(Service)]
#[service(error = io::Error, drain = "5")]
struct Marked(Rc<u8>);
#[service_methods(create = ::startstop_core)]
impl Marked {
    #[start]
    async fn serve(&self) -> Result<(), std::fmt::Error> {
        std::future::ready(()).await;
        let _ = *self.0;
        Ok(())
    }
    #[stop]
    fn close(&self, _: Context, _: u8) {}
}

#[derive(Service)]
#[service(drain = "5")]
struct Unmarked(MutexGuard<'static, u8>);

#[service_methods(create = ::startstop_core)]
impl Underived {
    #[start]
    async fn serve(&self) {}
    #[stop]
    async fn close(&self, _: u8) {}
}
struct Underived;

#[derive(Service)]
#[service(error = io::Error, limit(1))]
struct Composed {
    #[service(member, after(two))]
    one: Cell<u8>,
    #[service(membr)]
    other: u8,
}

fn main() {
    let _ = |a: Named, b: OfTrait, c: Marked, d: Unmarked, e: Composed| {
        let _ = (Runner::new(a), Runner::new(b), Runner::new(c), Runner::new(d), Runner::new(e));
    };
}
