#!/usr/bin/env bash
# metrics-exporter-prometheus 0.18.3 (crates.io) with `idle_timeout` of a second, with metrics 0.24.6 and metrics-util 0.20.4: a part of a
# program counts by a handle that it has made once and keeps, another one by the macro, which asks for a handle each time. Both rest for
# a second and a half, while the page is asked for, and then count again. The documentation of `idle_timeout`: a metric that has not been
# updated is removed "from the registry and in turn removed from the normal scrape output until the metric is emitted again".
#
# Guessed: the counter whose handle is kept is gone while it rests, and is back with its whole total when it counts again. No guess was
# written down for the macro, and for a gauge and a histogram.
# Seen:
# - By the macro a counter is back, and begins at nought again.
# - By a handle that is kept it never is, and neither is a gauge or a histogram: what it counts from then on goes nowhere, without a word.
#   This stays so when another part of the program has counted by a new handle, which is shown, beside it.
# So a counter of what is rare, such as failures, is silent for good after its first quiet time, just where the program was written to
# count fast; and an alert on it never comes. Leave the timeout off for counters (`MetricKindMask::GAUGE`), or ask for a handle each time.
# What removes a series tells, or revives, those who still write to it.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "idle"
version = "0.0.0"
edition = "2021"

[dependencies]
metrics = "=0.24.6"
metrics-exporter-prometheus = { version = "=0.18.3", default-features = false }
metrics-util = { version = "=0.20.4", default-features = false }

[profile.dev]
debug = false
TOML
cat >src/main.rs <<'RUST'
use std::{thread::sleep, time::Duration};

use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_util::MetricKindMask;

fn main() {
    let recorder = PrometheusBuilder::new()
        .idle_timeout(MetricKindMask::ALL, Some(Duration::from_secs(1)))
        .build_recorder();
    let page = recorder.handle();
    metrics::set_global_recorder(recorder).unwrap();
    let show = |what: &str| {
        let page = page.render();
        let mut lines: Vec<_> = page
            .lines()
            .filter(|line| ["kept ", "asked ", "kept_gauge ", "kept_histogram_count "].iter().any(|name| line.starts_with(name)))
            .collect();
        lines.sort_unstable();
        println!("{what}: {}", lines.join(", "));
    };

    let (kept, kept_gauge, kept_histogram) = (counter!("kept"), gauge!("kept_gauge"), histogram!("kept_histogram"));
    let count = |by: u64| {
        kept.increment(by);
        kept_gauge.set(by as f64);
        kept_histogram.record(by as f64);
        counter!("asked").increment(by);
    };
    count(5);
    show("at first");
    sleep(Duration::from_millis(1500));
    show("at rest");
    count(2);
    show("again");
    counter!("kept").increment(1);
    count(2);
    show("beside a new handle");
}
RUST
# In a folder of its own, whatever the environment says.
unset RUSTFLAGS
export CARGO_TARGET_DIR=$folder/target
cargo build --quiet 2>cargo.log || { cat cargo.log; exit 1; }
target/debug/idle | tee seen
diff seen - <<'SEEN'
at first: asked 5, kept 5, kept_gauge 5, kept_histogram_count 1
at rest: 
again: asked 2
beside a new handle: asked 4, kept 1
SEEN
# at first: asked 5, kept 5, kept_gauge 5, kept_histogram_count 1
# at rest:
# again: asked 2
# beside a new handle: asked 4, kept 1
