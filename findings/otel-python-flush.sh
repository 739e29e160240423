#!/usr/bin/env bash
# opentelemetry-sdk 1.45.2 with its exporters for OTLP over HTTP and gRPC, opentelemetry-exporter-otlp-proto-http and
# opentelemetry-exporter-otlp-proto-grpc 1.45.2 (PyPI): a program at its stop has a span or a count to send, and a second for it:
# `force_flush(1000)`. The collector refuses connections, or takes them and never answers. Of `force_flush` of the spans the
# documentation says: "False if the timeout is exceeded, True otherwise".
#
# Guessed: it returns after a second, False, with each of the four. Where connections are refused perhaps sooner.
# Seen: it takes seven to ten seconds and returns True, each time, although nothing has been sent.
# - The time is that of the exporter (`timeout`, ten seconds unless told): the one given to `force_flush` is not looked at. With
#   `timeout=1` of the exporter it takes about a second, and returns True as well.
# - `shutdown()` of the spans, which has no time, takes as long. That of the metrics keeps to its `timeout_millis`.
# So a stop whose grace period is ten seconds (`docker stop`) ends by a SIGKILL just when the collector is down, and what is stopped
# after the flush is not stopped in order. And a program that asks is told that its last spans have arrived. Set `timeout` of the
# exporter to what the stop can bear, flush last, on a thread with a bound of one's own, and take no answer for a proof. What
# flushes at a stop keeps to the time that it is given, and says what it did not send.

set -euo pipefail
folder=$(mktemp -d)
collector=
trap '[[ -z $collector ]] || kill -KILL "$collector" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
unset "${!OTEL_@}"
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
python3 -m venv venv
venv/bin/pip install --quiet 'opentelemetry-sdk==1.45.2' 'opentelemetry-exporter-otlp-proto-http==1.45.2' \
    'opentelemetry-exporter-otlp-proto-grpc==1.45.2'

# A collector that never answers, and one port where nobody listens.
cat >collector.py <<'PYTHON'
import os, socket

nobody = socket.socket()
nobody.bind(("127.0.0.1", 0))
silent = socket.create_server(("127.0.0.1", 0))
with open("ports.new", "w") as ports:
    ports.write(f"silent={silent.getsockname()[1]} refused={nobody.getsockname()[1]}\n")
os.rename("ports.new", "ports")
clients = []
while True:
    clients.append(silent.accept())
PYTHON
python3 collector.py &
collector=$!
until [[ -e ports ]]; do sleep 0.1; done
read -r silent refused <ports

cat >program.py <<'PYTHON'
import importlib, logging, sys, time
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

_, way, what, port, timeout = sys.argv
logging.disable()
exporters = importlib.import_module(f"opentelemetry.exporter.otlp.proto.{way}.{'trace' if what == 'span' else 'metric'}_exporter")
url = f"http://127.0.0.1:{port}"
options = {"timeout": float(timeout)}
if way == "grpc":
    options["insecure"] = True
elif what == "span":
    url += "/v1/traces"
else:
    url += "/v1/metrics"
if what == "span":
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporters.OTLPSpanExporter(endpoint=url, **options)))
    provider.get_tracer("program").start_span("last").end()
else:
    exporter = exporters.OTLPMetricExporter(endpoint=url, **options)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)
    provider = MeterProvider(metric_readers=[reader], shutdown_on_exit=False)
    provider.get_meter("program").create_counter("last").add(1)
began = time.monotonic()
flushed = provider.force_flush(1000)
print(flushed, "late" if time.monotonic() - began > 4 else "in time", f"{time.monotonic() - began:.1f} s", sep=", ")
PYTHON

# check WAY WHAT PORT TIMEOUT EXPECTED: what is flushed in which way, the timeout of the exporter, and how that went.
check() {
    local seen port=${3#*=}
    seen=$(venv/bin/python program.py "$1" "$2" "$port" "$4")
    printf '%s, %s, %s, timeout %s: %s\n' "$1" "$2" "${3%=*}" "$4" "$seen"
    [[ ${seen%,*} == "$5" ]]
}

for way in http grpc; do
    checks=()
    for what in span count; do
        for port in "$silent" "$refused"; do
            check "$way" "$what" "$port" 10 'True, late' &
            checks+=($!)
        done
        check "$way" "$what" "$silent" 1 'True, in time' &
        checks+=($!)
    done
    for one in "${checks[@]}"; do wait "$one"; done
done
# http, span, silent, timeout 10: True, late, 10.0 s
# http, span, refused, timeout 10: True, late, 7.6 s
# http, span, silent, timeout 1: True, in time, 1.0 s
# and so on
