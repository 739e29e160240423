//! Keys that are unknown, given twice, without a value or with a wrong one: all reported at once.

use startstop_core::{Runner, Service};

#[derive(Service)]
#[service(strat = serve, stop_timout = "1s", colour = [red, green], nmae, "text")]
#[service(start = serve, start = serve, name = "a", name = "b")]
struct Unknown;

impl Unknown {
    async fn serve(&self) {}
}

#[derive(Service)]
#[service(
    start = "serve",
    stop = Self::close,
    error = "std::io::Error",
    name = 5,
    readiness = explict,
    shutdown_always,
    history_capacity = -1,
    restart = "always",
    drain =,
    watchdog = "1s" "2s",
    bound = "T:: Store",
    crate = "other"
)]
struct Wrong;

#[derive(Service)]
#[service(start = serve, restart = on_failur, readiness = sometimes, shutdown_always = "yes")]
#[service]
#[service = "serve"]
#[service()]
struct Names;

#[derive(Service)]
#[service(stop = close)]
struct Half {
    #[service(member)]
    field: u8,
}

#[derive(Service)]
#[service(start = run, stop = shutdown)]
enum Clash {
    #[service(start = serve)]
    Variant(#[service(name = "x")] u8),
}

#[derive(Service)]
#[service(start = serve, stop = serve)]
struct Same;

#[derive(Service)]
#[service(start = serve)]
union Union {
    a: u8,
    b: i8,
}

fn main() {
    let _ = Runner::new(Unknown);
    let _ = Runner::new(Wrong);
    let _ = Runner::new(Names);
    let _ = Runner::new(Half { field: 1 }).service().field;
    let _ = Runner::new(Clash::Variant(1));
    let _ = Runner::new(Union { a: 1 });
}
