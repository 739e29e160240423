//! Parts of one path, which a composite of one's own may have.

use std::collections::HashSet;

use startstop_core::{BoxError, BoxService, Context, Runner, Service, Settings, State, Status};

use super::{idle, registry, scrape};

/// Three services, two of which bear the name of their type.
struct Three([Runner<BoxService>; 3]);

impl Three {
    fn new() -> Self {
        let named = Settings::new().name("idle#2");
        Self([
            Runner::new(idle().boxed()),
            Runner::with_settings(idle().boxed(), named),
            Runner::new(idle().boxed()),
        ])
    }
}

impl Service for Three {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        self.0[0].start().await?;
        cx.cancelled().await;
        self.0[0].stop().await?;
        Ok(())
    }

    fn children(&self) -> Vec<Status> {
        self.0.iter().map(Runner::status).collect()
    }
}

#[tokio::test]
async fn each_has_series_of_its_own() {
    let runner = Runner::with_settings(Three::new(), Settings::new().name("app"));
    let registry = registry(&runner);
    runner.start().await.unwrap();
    runner.service().0[0].wait_for(State::Running).await;
    let text = scrape(&registry);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let series = lines.filter_map(|line| Some(line.rsplit_once(' ')?.0));
    let mut seen = HashSet::new();
    for series in series {
        assert!(seen.insert(series), "{series} is there twice: {text}");
    }
    for (path, ready) in [("idle", 1), ("idle#2", 0), ("idle#3", 0)] {
        let line = format!("startstop_ready{{path=\"app/{path}\"}} {ready}\n");
        assert!(text.contains(&line), "{line}{text}");
    }
    runner.stop().await.unwrap();
}
