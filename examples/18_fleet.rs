//! Three replicas and one invoice run: the leader is killed, then the next one is stopped, and another one goes on.
//!
//! Run it: `cargo run --example 18_fleet`. It starts itself three times, on a folder that all of them share. On a server instead:
//! `cargo run --example 18_fleet --features etcd -- etcd:http://127.0.0.1:2379`; likewise `postgres:URL`, and `kubernetes:` for the
//! cluster of `KUBECONFIG`.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::{env, io, process, thread, time::Duration};

use startstop_core::{Context, run, service_fn};
use startstop_fleet::{Dir, Leader, LeaseStore, Term};

/// One of the three, on the store that is asked for.
async fn replica(store: &str, folder: &Path) -> Result<ExitCode, Box<dyn Error>> {
    Ok(match store.split_once(':') {
        #[cfg(feature = "etcd")]
        Some(("etcd", url)) => lead(startstop_fleet::Etcd::connect([url]).await?, folder).await,
        #[cfg(feature = "postgres")]
        Some(("postgres", url)) => {
            let store = startstop_fleet::Postgres::connect(url).await?;
            store.create().await?;
            lead(store, folder).await
        }
        #[cfg(feature = "kubernetes")]
        Some(("kubernetes", _)) => {
            lead(startstop_fleet::Kubernetes::connect().await?, folder).await
        }
        Some(_) => {
            return Err(format!("{store}: no such store, or not without its feature").into());
        }
        None => lead(Dir::new(folder), folder).await,
    })
}

/// The service of each replica: while it leads, it writes invoices.
async fn lead(store: impl LeaseStore, folder: &Path) -> ExitCode {
    let ledger = folder.join("ledger");
    let invoices = Leader::new("invoices", store, move |term: Term| {
        let ledger = ledger.clone();
        service_fn(move |cx: Context| {
            let (ledger, fence) = (ledger.clone(), term.fence());
            async move {
                // In a database: `insert … where fence <= $1`.
                let mut ledger = OpenOptions::new().append(true).create(true).open(ledger)?;
                writeln!(ledger, "{fence} {}", process::id())?;
                cx.cancelled().await;
                Ok::<(), io::Error>(())
            }
        })
    });
    run(invoices).await
}

/// Waits for the invoice of a term and returns the process that has written it.
fn written(ledger: &Path, term: usize) -> u32 {
    loop {
        let text = fs::read_to_string(ledger).unwrap_or_default();
        if let Some((fence, pid)) = text
            .lines()
            .nth(term - 1)
            .and_then(|line| line.split_once(' '))
        {
            println!("an invoice bears fence {fence}");
            return pid.parse().expect("the id of a process");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let store = env::args().nth(1).unwrap_or_else(|| "folder".to_owned());
    if let Some(folder) = env::args_os().nth(2) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        return runtime.block_on(replica(&store, folder.as_ref()));
    }
    let folder = env::temp_dir().join(format!("startstop-fleet-{}", process::id()));
    fs::create_dir_all(&folder)?;
    let start = || {
        Command::new(env::current_exe()?)
            .arg(&store)
            .arg(&folder)
            .spawn()
    };
    let mut replicas = [start()?, start()?, start()?];
    println!("three replicas run");
    let leader = written(&folder.join("ledger"), 1);
    let killed = find(&mut replicas, leader);
    killed.kill()?;
    killed.wait()?;
    println!("its writer was killed");
    let leader = written(&folder.join("ledger"), 2);
    Command::new("kill").arg(leader.to_string()).status()?;
    println!(
        "its writer was stopped, and left with {}",
        find(&mut replicas, leader).wait()?
    );
    let leader = written(&folder.join("ledger"), 3);
    Command::new("kill").arg(leader.to_string()).status()?;
    println!(
        "its writer was the last: {}",
        find(&mut replicas, leader).wait()?
    );
    fs::remove_dir_all(&folder)?;
    Ok(ExitCode::SUCCESS)
}

fn find(replicas: &mut [Child], pid: u32) -> &mut Child {
    replicas
        .iter_mut()
        .find(|replica| replica.id() == pid)
        .expect("one of the three")
}
