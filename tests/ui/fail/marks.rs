//! Marks that are missing, doubled, misplaced or on methods that a macro can see to be wrong.

use startstop_core::{Context, Runner, Service, service_methods};

#[derive(Service)]
struct Twice;

#[service_methods]
impl Twice {
    #[start]
    async fn one(&self) {}
    #[start]
    async fn two(&self) {}
    #[stop(now)]
    async fn three(&self) {}
}

#[derive(Service)]
struct OnlyStop;

#[service_methods]
impl OnlyStop {
    #[stop]
    async fn close(&self) {}
}

#[derive(Service)]
struct NoMark;

#[service_methods(create = ::startstop_core)]
impl NoMark {
    async fn serve(&self) {}
}

#[derive(Service)]
struct Shapes;

#[service_methods]
impl Shapes {
    #[start]
    fn serve(&mut self, _: Context, _: u8, _: u16) {}
    #[stop]
    async fn shutdown(self) {}
}

#[derive(Service)]
struct NoReceiver;

#[service_methods]
impl NoReceiver {
    #[start]
    const N: u8 = 1;
    #[stop]
    async fn close() {}
}

#[derive(Service)]
#[service(start = serve)]
struct Other;

impl Other {
    async fn serve(&self) {}
}

trait Close {
    async fn close(&self);
}

#[service_methods]
impl Close for Other {
    #[stop]
    async fn close(&self) {}
}

trait Serve {
    async fn serve(&self);
    fn close(&self) {}
}

#[service_methods]
impl Serve for Other {
    #[start]
    async fn serve(&self) {}
}

#[derive(Service)]
struct OfTrait<'a, T: Clone>(&'a T);

#[service_methods]
impl<'a, T: Clone> Serve for OfTrait<'a, T>
where
    'a: 'static,
{
    #[start]
    async fn serve(&self) {}
    #[stop]
    fn close(&self) {}
}

#[derive(Service)]
struct Apart;

#[service_methods]
impl Apart {
    #[start]
    async fn serve(&self) {}
}

#[service_methods]
impl Close for Apart {
    #[stop]
    async fn close(&self) {}
}

#[derive(Service)]
struct TwoBlocks<T>(T);

#[service_methods]
impl<T> TwoBlocks<T> {
    #[start]
    async fn serve(&self) {}
}

#[service_methods]
impl<T> TwoBlocks<T> {
    #[stop]
    async fn close(&self) {}
}

#[service_methods]
struct NoImpl;

#[derive(Service)]
struct Both;

#[service_methods]
impl Both {
    #[start]
    #[stop]
    async fn serve(&self) {}
}

#[derive(Service)]
struct Again;

#[service_methods]
#[startstop_core::service_methods]
impl Again {
    #[start]
    async fn serve(&self) {}
}

fn main() {
    let _ = Runner::new(Twice);
    let _ = Runner::new(OnlyStop);
    let _ = Runner::new(NoMark);
    let _ = Runner::new(Shapes);
    let _ = (Runner::new(NoReceiver), NoReceiver::N);
    let _ = Runner::new(Other);
    let _ = Runner::new(OfTrait(&1));
    let _ = Runner::new(Apart);
    let _ = Runner::new(TwoBlocks(1));
    let _ = NoImpl;
    let _ = Runner::new(Again);
}
