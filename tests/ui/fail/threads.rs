//! Types that cannot go to another thread: that is told of the type, and not again of its methods. Of one that can neither be sent
//! nor shared both is told, for these are two bounds of `Service`, and the compiler has no word for both.

use std::cell::Cell;
use std::rc::Rc;

use startstop_core::{Runner, Service, service_methods};

#[derive(Service)]
#[service(start = serve, stop = close)]
struct NotSync(Cell<u8>);
impl NotSync {
    async fn serve(&self) {
        std::future::ready(()).await;
        self.0.set(1);
    }
    async fn close(&self) {
        std::future::ready(()).await;
        self.0.set(2);
    }
}

#[derive(Service)]
#[service(start = serve)]
struct NotSend(std::sync::MutexGuard<'static, u8>);
impl NotSend {
    async fn serve(&self) {
        std::future::ready(()).await;
        let _ = *self.0;
    }
}

#[derive(Service)]
struct Neither(Rc<u8>);
#[service_methods]
impl Neither {
    #[start]
    async fn serve(&self) {
        std::future::ready(()).await;
        let _ = *self.0;
    }
    #[stop]
    async fn close(&self) {}
}

fn main() {
    let _ = |a: NotSync, b: NotSend, c: Neither| (Runner::new(a), Runner::new(b), Runner::new(c));
}
