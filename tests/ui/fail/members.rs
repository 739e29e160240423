//! Members that name what does not exist, each other in a circle, or what stands elsewhere.

use startstop_core::{Runner, Service};

#[derive(Service)]
#[service(start = serve)]
struct Part;

impl Part {
    async fn serve(&self) {}
}

#[derive(Service)]
struct Unknown {
    #[service(member, after(htpp, config, queue))]
    db: Runner<Part>,
    #[service(member, after(db, db))]
    http: Runner<Part>,
    config: u8,
}

#[derive(Service)]
struct Cycles {
    #[service(member, after(c))]
    a: Runner<Part>,
    #[service(member)]
    b: Runner<Part>,
    #[service(member)]
    c: Runner<Part>,
    #[service(member, after(d))]
    d: Runner<Part>,
}

#[derive(Service)]
#[service(start = serve, stop = close, limit(3))]
struct Both {
    #[service(member)]
    inner: Runner<Part>,
    #[service(member(on_failure = restart_al, on_complete = ignore), member)]
    other: Runner<Part>,
}

#[derive(Service)]
#[service(limit = 3, member)]
struct Lists {
    #[service]
    a: Runner<Part>,
    #[service(after(a))]
    b: Runner<Part>,
    #[service(member = true, after, afer(b))]
    c: Runner<Part>,
    #[service(member(on_failure = 1, on_completion = restart_all), after("a", b c))]
    d: Runner<Part>,
}

#[derive(Service)]
#[service(limit("60s", 3))]
struct Swapped(#[service(member, after(1))] Runner<Part>);

#[derive(Service)]
struct Slips {
    #[service(memebr)]
    db: Runner<Part>,
    #[service(member, after(db))]
    http: Runner<Part>,
}

#[derive(Service)]
#[service(limit(3, "60s"))]
struct Empty;

#[derive(Service)]
#[service(start = serve)]
enum Variants {
    One(#[service(member)] Runner<Part>),
}

#[derive(Service)]
struct ByBoth {
    #[service(member(bound_to(b)), after(b))]
    a: Runner<Part>,
    #[service(member(bound_to(a)), after(a))]
    b: Runner<Part>,
    #[service(member(bound_to(c)), after(c))]
    c: Runner<Part>,
}

fn main() {
    let part = || Runner::new(Part);
    let _ = Runner::new(Unknown { db: part(), http: part(), config: 1 }).service().config;
    let _ = Runner::new(Cycles { a: part(), b: part(), c: part(), d: part() });
    let _ = Runner::new(Both { inner: part(), other: part() });
    let _ = Runner::new(Lists { a: part(), b: part(), c: part(), d: part() });
    let _ = Runner::new(Swapped(part()));
    let _ = Runner::new(Slips { db: part(), http: part() });
    let _ = Runner::new(Empty);
    let _ = Runner::new(Variants::One(part()));
    let _ = Runner::new(ByBoth { a: part(), b: part(), c: part() });
}
