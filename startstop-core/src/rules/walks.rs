//! How far the walks of the tests go. `STARTSTOP_WALKS=all` walks through everything, as the stage `random` of `.ci/run` does; else
//! it is a share that takes seconds.

/// Returns the first, and where everything is asked for the second.
pub(super) fn share<T>(some: T, all: T) -> T {
    match std::env::var("STARTSTOP_WALKS").as_deref() {
        Ok("all") => all,
        Ok(other) => panic!("STARTSTOP_WALKS is `all`, or it is not set: {other}"),
        Err(_) => some,
    }
}
