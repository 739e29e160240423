//! What Prometheus says of the metrics: `promtool`, and a server that scrapes them.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::free_port::free_port;
use crate::support::{Folder, Program, Shop, curl, until};

#[test]
fn promtool_has_nothing_to_say() {
    let shop = Shop::open();
    shop.control("restart/shop/db");
    let text = curl(&[&format!("{}/metrics", shop.url)]);
    for family in ["startstop_start_duration_seconds_bucket", "startstop_value"] {
        assert!(text.contains(&format!("\n{family}{{")), "{text}");
    }
    let folder = Folder::new();
    let file = std::fs::File::open(folder.write("metrics", &text)).unwrap();
    let output = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(file)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.is_empty(), "{told}\n{text}");
}

#[test]
fn a_server_scrapes_them() {
    let shop = Shop::open_with(&[("SHOP_GUEST", "1")]);
    let (folder, port) = (Folder::new(), free_port());
    let target = shop.url.strip_prefix("http://").unwrap();
    let config = format!(
        "global: {{ scrape_interval: 500ms, scrape_timeout: 400ms }}\n\
         scrape_configs:\n- {{ job_name: shop, static_configs: [{{ targets: ['{target}'] }}] }}\n"
    );
    let config = folder.write("prometheus.yml", &config);
    let mut server = Command::new("prometheus");
    server.arg(format!("--config.file={}", config.display()));
    server.arg(format!(
        "--storage.tsdb.path={}",
        folder.path().join("data").display()
    ));
    server.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let _server = Program::run(server.stdout(Stdio::null()).stderr(Stdio::null()));
    let ask = |query: &str| -> Option<f64> {
        let url = format!("http://127.0.0.1:{port}/api/v1/query");
        let answer = curl(&["--get", "--data-urlencode", &format!("query={query}"), &url]);
        let answer: Value = serde_json::from_str(&answer).ok()?;
        answer["data"]["result"][0]["value"][1]
            .as_str()?
            .parse()
            .ok()
    };
    until("it is scraped", || ask("up{job=\"shop\"}") == Some(1.0));
    until("it is ready", || {
        ask("startstop_ready{path=\"shop/http\"}") == Some(1.0)
    });
    shop.control("restart/shop/db");
    until("the restart is seen", || {
        ask("startstop_cycles_total{path=\"shop/db\"}") == Some(2.0)
    });
    shop.control("stop/shop/db");
    until("the stop is seen", || {
        ask("startstop_state{path=\"shop/db\",state=\"stopped\"}") == Some(1.0)
    });
    assert_eq!(ask("startstop_failures_total"), None);

    // The series of a member are gone with it.
    let guest = "count({path=\"shop/guest\"})";
    until("the guest is there", || ask(guest).is_some());
    shop.folder.write("leave", "");
    until("nothing is left of the guest", || ask(guest).is_none());
    assert_eq!(ask("up{job=\"shop\"}"), Some(1.0));
}
