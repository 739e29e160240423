//! What startstop costs, beside bare tokio and beside what people use today, in one run.
//!
//! `cargo run --release --manifest-path benchmarks/Cargo.toml` measures and writes
//! `docs/benchmarks.md` with its plot; with `-- build` behind it, it measures cold builds, with
//! `-- profile` it counts instructions, and writes that part of the page.
//!
//! Each contender is a file below `contenders`, which uses the crate as its own README does. Rounds
//! are interleaved, so that what else the machine does falls on all of them alike; the medians are
//! compared.

mod gate;
mod crowd;
mod contender;
mod promised;
mod read;
mod contenders;
mod flavour;
mod results;
mod rounds;
mod workload;
mod history;
mod memory;
mod figures;
mod machine;
mod weather;
mod target;
mod table;
mod plot;
mod report;
mod page;
mod hello;
mod cold;
mod callgrind;
mod profile;
mod counts;
mod sizes;
mod run;

pub use memory::count;
pub use run::run;
pub use sizes::count_sizes;
