//! Members of the wrong type, and values of the wrong type: found by the compiler, each once.

use std::io;
use std::sync::Arc;

use startstop_core::{OnCompletion, Runner, Service, service_methods};

#[derive(Service)]
#[service(start = serve)]
struct Part;

impl Part {
    async fn serve(&self) {}
}

#[derive(Service)]
struct Wrong {
    #[service(member)]
    bare: Part,
    #[service(member)]
    shared: Arc<Runner<Part>>,
    #[service(member(on_failure = OnCompletion::Ignore))]
    mixed: Runner<Part>,
}

struct Idle;

#[derive(Service)]
struct OfNothing {
    #[service(member)]
    idle: Runner<Idle>,
}

#[derive(Service)]
#[service(error = io::Error, limit(-1, 60 + 1))]
struct Values {
    #[service(member)]
    inner: Runner<Part>,
}

#[derive(Service)]
#[service(error = io::Error, limit(1, 60 + 1))]
struct Typed {
    #[service(member)]
    inner: Runner<Part>,
}

#[derive(Service)]
struct Marked {
    #[service(member)]
    inner: Runner<Part>,
}

#[service_methods]
impl Marked {
    #[start]
    async fn serve(&self) {}
}

fn main() {
    let part = || Runner::new(Part);
    let _ = Runner::new(Wrong { bare: Part, shared: Arc::new(part()), mixed: part() });
    let _ = |nothing: OfNothing| nothing.idle;
    let _ = Runner::new(Values { inner: part() });
    let _ = Runner::new(Typed { inner: part() });
    let _ = Runner::new(Marked { inner: part() });
}
