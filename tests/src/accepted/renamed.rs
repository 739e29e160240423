//! The crate under another name, and reached through a framework.

#![deny(warnings, missing_docs)]

extern crate startstop_core as other;

mod framework {
    pub(crate) mod parts {
        pub(crate) use super::super::other::*;
    }
}

// The macro must not take a module of the usual name for the framework.
mod startstop_core {}

#[derive(other::Service)]
#[service(start = serve, crate = other, restart = on_failure, drain = "1s")]
struct Renamed;

impl Renamed {
    async fn serve(&self) {}
}

#[derive(framework::parts::Service)]
#[service(crate = crate::accepted::renamed::framework::parts)]
struct Framed;

#[framework::parts::service_methods(crate = crate::accepted::renamed::framework::parts)]
impl Framed {
    #[start]
    async fn serve(&self) {}
}

// A macro of the framework names the crate as `$crate`.
macro_rules! declare {
    ($name:ident) => {
        #[derive(other::Service)]
        #[service(start = serve, stop = close, crate = $crate::accepted::renamed::framework::parts, drain = "1s")]
        struct $name;

        impl $name {
            async fn serve(&self) {}
            async fn close(&self, cx: other::Context) {
                cx.cancelled().await;
            }
        }
    };
}

declare!(Declared);

/// Runs it.
pub fn main() {
    let _ = other::Runner::new(Declared);
    let _ = other::Runner::new(Renamed);
    let _ = other::Runner::new(Framed);
}
