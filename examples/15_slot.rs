//! A value from one member to another: the database fills a slot with its pool, the server takes it.
//!
//! Run it: `cargo run --example 15_slot`

use std::error::Error;

use startstop_core::service_fn_with;
use startstop_core::{BoxError, Context, Group, Readiness, Runner, Service, Settings, Slot};

/// Stands for the pool of a database driver.
struct Pool {
    number: u64,
}

struct Db {
    pool: Slot<Pool>,
}

impl Service for Db {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        self.pool.fill(&cx, Pool { number: cx.cycle() }); // ready, and empty again when this ends
        cx.cancelled().await;
        Ok(())
    }

    fn settings(&self) -> Settings {
        Settings::new().readiness(Readiness::Explicit)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pool = Slot::<Pool>::new();
    let http = service_fn_with(pool.clone(), async |pool, cx| {
        // It starts after the database, so there is nothing to wait for.
        if let Some(pool) = pool.wait(&cx).await {
            println!("the server begins with pool {}", pool.number);
        }
        cx.ready();
        cx.cancelled().await;
    });
    let http = Runner::with_settings(http, Settings::new().readiness(Readiness::Explicit));
    let group = Group::builder("app")
        .with("db", Db { pool: pool.clone() })
        .then("http", http);
    let app = Runner::new(group.build()?);

    app.start().await?;
    println!("the slot has {}", shown(&pool));

    let db = app.service().get("db").ok_or("there is a database")?;
    let held = pool.get().ok_or("there is a pool")?;
    db.stop().await?;
    println!(
        "without the database it has {}; who took pool {} keeps it",
        shown(&pool),
        held.number
    );
    db.start().await?;
    println!("with the database again it has {}", shown(&pool));

    app.stop().await?;
    println!("after the end it has {}", shown(&pool));
    Ok(())
}

fn shown(pool: &Slot<Pool>) -> String {
    pool.get().map_or_else(
        || "nothing".to_owned(),
        |pool| format!("pool {}", pool.number),
    )
}
