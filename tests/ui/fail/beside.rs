//! Mistakes of several kinds in one declaration: what the macro finds hides nothing of what the compiler finds.

use std::rc::Rc;

use startstop_core::{Context, Runner, Service, service_methods};

#[derive(Service)]
#[service(start = serve, colour = 3)]
struct WrongKey;

#[derive(Service)]
#[service(start = serve, stop = close, stop_timout = "1s", drain = "5", name = 5u8 + 1)]
struct Everything;
impl Everything {
    fn serve(&self) {}
    async fn close(&self) -> u8 {
        0
    }
}

#[derive(Service)]
#[service(start = serve, stop = close, error = 5)]
struct BadError;
impl BadError {
    async fn serve(&self) -> Result<(), u8> {
        Ok(())
    }
}

#[derive(Service)]
#[service(stop = close)]
struct NoStart;

#[derive(Service)]
#[service(start = serve, stop = serve)]
struct Twice;

#[derive(Service)]
#[service(start = serve, colour = 1)]
struct NotSend;
impl NotSend {
    async fn serve(&self) {
        let shared = Rc::new(1);
        std::future::ready(()).await;
        drop(shared);
    }
}

#[derive(Service)]
#[service(stop_timeout = 10)]
struct Unlinked;

#[derive(Service)]
#[service(begin = serve)]
struct Misnamed;

#[derive(Service)]
#[service(start = serve, bound = "T Store")]
struct BadBound<T>(T);
trait Store {}
impl<T: Store> BadBound<T> {
    async fn serve(&self) {}
}

#[derive(Service)]
#[service(restart = on_falure)]
struct Marked;
#[service_methods(create = ::startstop_core)]
impl Marked {
    #[start]
    async fn serve(&self) -> u8 {
        0
    }
    #[stop]
    async fn close(&self, _: Context, _: u8) {}
}

#[derive(Service)]
#[service(limit(3, "60"), backof = 3)]
struct Composed {
    #[service(member)]
    one: u8,
    #[service(member, after(two))]
    three: Runner<Marked>,
    #[service(membr)]
    four: u8,
}

fn main() {
    let _ = (Runner::new(WrongKey), Runner::new(Everything), Runner::new(BadError), Runner::new(NoStart));
    let _ = (Runner::new(Twice), Runner::new(NotSend), Runner::new(Unlinked), Runner::new(Misnamed));
    let _ = (Runner::new(BadBound(1)), Runner::new(Marked));
    let _ = |composed: Composed| Runner::new(composed);
}
