//! Says when an attempt begins and when it ends, however it ends.

use startstop_core::Context;

/// To be made first in `run`, so that it is dropped last.
pub(crate) struct Life {
    name: String,
}

impl Life {
    pub(crate) fn begin(cx: &Context) -> Self {
        let name = cx.name().to_owned();
        println!(
            "{name} begins: cycle {}, attempt {}",
            cx.cycle(),
            cx.attempt()
        );
        Self { name }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        println!("{} has ended", self.name);
    }
}
