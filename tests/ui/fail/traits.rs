//! Methods that only the trait has, as the type's own are asked for.

use startstop_core::{Runner, Service, service_methods};

#[derive(Service)]
#[service(start = run, stop = shutdown)]
struct TheSame;

#[derive(Service)]
#[service(start = shutdown)]
struct Other<T>(T);

#[derive(Service)]
#[service(start = settings, stop = boxed)]
struct NoMethods;

#[derive(Service)]
struct Half;
#[service_methods]
impl Half {
    #[start]
    async fn serve(&self) {}
    #[cfg_attr(all(), stop, doc = "Stops it.")]
    async fn shutdown(&self) {}
}

#[derive(Service)]
struct Conditional;
#[service_methods]
impl Conditional {
    #[cfg_attr(all(), start)]
    async fn run(&self) {}
}

fn main() {
    let _ = (Runner::new(TheSame), Runner::new(Other(1)), Runner::new(NoMethods));
    let _ = (Runner::new(Half), Runner::new(Conditional));
}
