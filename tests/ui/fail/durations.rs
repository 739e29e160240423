//! Durations that are none, have no unit or another one, or are of another type.

use std::time::Duration;

use startstop_core::{Runner, Service};

#[derive(Service)]
#[service(start = serve, start_timeout = "10", stop_timeout = 10, abort_timeout = "10 s")]
#[service(drain = "1.5s", watchdog = "soon")]
struct Strings;

#[derive(Service)]
#[service(start = serve, start_timeout = "", stop_timeout = "1h30m", abort_timeout = -5)]
#[service(drain = true, watchdog = "99999999999999999h")]
struct More;

#[derive(Service)]
#[service(start = serve, start_timeout = 1 + 1, stop_timeout = Duration::MAXIMUM, drain = ())]
struct Types;

impl Types {
    async fn serve(&self) {}
}

fn main() {
    let _ = Runner::new(Strings);
    let _ = Runner::new(More);
    let _ = Runner::new(Types);
}
