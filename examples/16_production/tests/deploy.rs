//! The files of `deploy/`: the grace, the probes, the unit under a real manager; and the program as pid 1.

mod manager;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use shop::config::Configured;
use startstop_core::Runner;
use startstop_host::GrpcHealth;

use crate::certificates;
use crate::program::{Place, SHOP};
use crate::servers::{Servers, until};
use manager::Manager;

fn read(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// Returns the text between two others.
fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no {before:?}"));
    rest.split_once(after).expect("it goes on").0.to_owned()
}

#[tokio::test]
async fn what_is_granted_is_more_than_a_stop_can_take() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/shop.toml");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = Configured::from_file(config).unwrap();
    let app = shop::app(config, listener, GrpcHealth::new()).unwrap();
    let grace = Runner::new(app).grace_period();
    assert_eq!(
        grace,
        Duration::from_secs(24),
        "docs/production.md tells what it is made of"
    );
    // One function of `on_exit` flushes the log; a second more, and one that pid 1 gives to what is left.
    let needs = grace + Duration::from_secs(3);
    let (pod, unit) = (read("kubernetes.yaml"), read("shop.service"));
    for granted in [
        between(&pod, "terminationGracePeriodSeconds: ", "\n"),
        between(&pod, "STARTSTOP_GRACE, value: \"", "\""),
        between(&unit, "TimeoutStopSec=", "\n"),
    ] {
        let granted = Duration::from_secs(granted.parse().unwrap());
        assert!(granted > needs, "{granted:?} granted, {needs:?} needed");
    }
}

#[tokio::test]
async fn each_probe_of_the_manifest_passes() {
    let servers = Servers::start();
    let place = Place::new(&servers);
    let shop = place.open().await;
    let pod = read("kubernetes.yaml");
    for probe in ["startupProbe:", "readinessProbe:", "livenessProbe:"] {
        let (_, rest) = pod.split_once(probe).expect("there is such a probe");
        let path = between(rest, "path: ", ",");
        assert_eq!(place.probe(&path).await.unwrap().0, 200, "{probe} {path}");
    }
    assert_eq!(shop.stop().await, Some(0));
}

#[tokio::test]
async fn the_image_runs_the_program_itself() {
    // Not by a shell, which would be pid 1 and keep the signals to itself.
    assert!(read("Dockerfile").contains("ENTRYPOINT [\"/usr/bin/shop\"]"));
    let servers = Servers::start();
    let place = Place::new(&servers);
    let mut outside = Command::new("unshare")
        .args(["--pid", "--mount-proc", "--fork", "--kill-child", SHOP])
        .arg(place.config())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    place.until_ready().await;
    let children = format!("/proc/{0}/task/{0}/children", outside.id());
    let child: i32 = fs::read_to_string(children)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    kill_process(Pid::from_raw(child).unwrap(), Signal::TERM).unwrap();
    until("pid 1 has ended", async || {
        outside.try_wait().unwrap().is_some()
    })
    .await;
    assert_eq!(outside.wait().unwrap().code(), Some(0));
}

#[tokio::test]
async fn the_unit_starts_reloads_comes_back_and_stops() {
    let mut servers = Servers::start();
    let place = Place::new(&servers);
    let unit = read("shop.service");
    let start = format!("{SHOP} {}", place.config().display());
    let unit = unit.replace("/usr/bin/shop /etc/shop/shop.toml", &start);
    let mut manager = Manager::new(place.folder());
    // A user manager makes no users.
    manager.unit(&unit.replace("DynamicUser=yes\n", ""));

    servers.redis.kill();
    manager.run("systemctl --user start --no-block shop");
    manager
        .until("StatusText", |text| text.contains("waits for shop/cache"))
        .await;
    assert_eq!(manager.show("ActiveState"), "activating");
    servers.redis.start_again();
    manager.run("systemctl --user start shop");
    assert!(place.is_ready().await, "the start returns when it is ready");

    certificates::write(place.folder());
    manager.run("systemctl --user reload shop");
    assert_eq!(manager.show("StatusText"), "ready");
    fs::write(place.folder().join("tls.key"), "no key").unwrap();
    manager.run("systemctl --user reload shop");
    manager
        .until("StatusText", |text| {
            text.contains("the last reload failed: ")
        })
        .await;
    certificates::write(place.folder());

    manager.run("systemctl --user kill --kill-who=main --signal=KILL shop");
    manager.until("NRestarts", |text| text == "1").await;
    manager.until("ActiveState", |text| text == "active").await;
    assert!(place.is_ready().await);
    manager.run("systemctl --user stop shop");
    assert_eq!(
        (manager.show("Result"), manager.show("ExecMainStatus")),
        ("success".into(), "0".into())
    );
}
