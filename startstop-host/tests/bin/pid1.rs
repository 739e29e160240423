//! A program that a test runs as pid 1: `pid1 ADDR FILE`.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, ExitCode};
use std::time::Duration;

use startstop_core::{BoxError, Context, service_fn};
use startstop_host::Host;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [addr, file] = args.try_into().expect("two arguments");
    // The listener is bound before the host takes it; the child binds it anew.
    let listener = TcpListener::bind(addr).expect("nobody else has it");
    let service = service_fn(move |cx| {
        let (addr, file) = (listener.local_addr(), file.clone());
        async move {
            addr?;
            orphans_and_children(&cx, &file).await
        }
    });
    Host::new(service).main()
}

async fn orphans_and_children(cx: &Context, file: &str) -> Result<(), BoxError> {
    assert_ne!(std::process::id(), 1);
    let name = fs::read_to_string("/proc/self/comm")?;
    assert!(name.starts_with("startstop-host"), "{name}");
    for (kind, name) in [
        (SignalKind::alarm(), "ALRM"),
        (SignalKind::window_change(), "WINCH"),
        // SIGRTMIN+3, the halt of systemd-nspawn and LXC, and SIGRTMAX.
        (SignalKind::from_raw(37), "37"),
        (SignalKind::from_raw(64), "64"),
    ] {
        let mut heard = signal(kind)?;
        Command::new("sh")
            .args(["-c", &format!("kill -{name} 1")])
            .status()?;
        timeout(Duration::from_secs(10), heard.recv()).await?;
    }
    let mut early = Command::new("true").spawn()?;
    let mut of_tokio = tokio::process::Command::new("sh")
        .args(["-c", "exit 7"])
        .spawn()?;
    // Two orphans: one ends by itself, the other when it is told to.
    let stays = format!("trap 'echo told >{file}; exit' TERM; echo >{file}; sleep 1000 & wait");
    let script = "sleep 0.1 & sh -c \"$0\" & exit 0";
    Command::new("sh").args(["-c", script, &stays]).status()?;
    while fs::read_to_string(file).unwrap_or_default() != "\n" || sleeps() > 0 {
        sleep(Duration::from_millis(10)).await;
    }
    // They end when the system gets to them, and nobody takes them.
    let both_have_ended = async {
        while zombies() < 2 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    drop(timeout(Duration::from_secs(10), both_have_ended).await);
    // The two zombies now are those that nobody has waited for.
    let dead = zombies();
    let codes = (early.wait()?.code(), of_tokio.wait().await?.code());
    println!("{dead} dead, then {codes:?}");
    cx.request_stop();
    Ok(())
}

fn processes() -> impl Iterator<Item = String> {
    let entries = fs::read_dir("/proc").expect("it is mounted").flatten();
    entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
}

/// Counts the orphan that ends by itself, dead or alive: a child of pid 1.
fn sleeps() -> usize {
    let is_orphan = |stat: &String| stat.split(' ').nth(3) == Some("1");
    processes()
        .filter(|stat| stat.contains(" (sleep) ") && is_orphan(stat))
        .count()
}

fn zombies() -> usize {
    processes().filter(|stat| stat.contains(") Z ")).count()
}
