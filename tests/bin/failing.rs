//! A service that fails with an error that has a source: before it is ready, or with the argument
//! `late` after that.

use std::env;
use std::io;
use std::process::ExitCode;

use startstop_core::{Context, Readiness, Service, Settings};

struct Failing {
    late: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot read the configuration")]
struct ConfigError(#[source] io::Error);

impl Service for Failing {
    type Error = ConfigError;

    async fn run(&self, cx: Context) -> Result<(), ConfigError> {
        if self.late {
            cx.ready();
        }
        Err(ConfigError(io::Error::other("the disk is on fire")))
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .name("failing")
            .readiness(Readiness::Explicit)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    startstop_core::run(Failing {
        late: env::args().nth(1).is_some(),
    })
    .await
}
