#!/usr/bin/env bash
# honcho 2.0.0 (PyPI), a process manager for Procfiles: when does it kill a process that is slow to stop?
#
# Guessed: five seconds after a SIGTERM to honcho, whatever the other processes do.
# Seen: the five seconds count from the moment when the first process has ended, and never begin while all are still there.
# - One process that needs 8 s after SIGTERM gets all of them, and honcho leaves with 143.
# - Beside a process that ends at once, the same process is killed after 5 s (honcho reports rc=-9).
# So a supervisor that relies on honcho's grace period has none as long as every process takes its time.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'honcho==2.0.0'

cat >slow.py <<'PYTHON'
import signal, sys, time

def stop(*_):
    time.sleep(8)
    sys.exit(0)

signal.signal(signal.SIGTERM, stop)
print("up", flush=True)
while True:
    time.sleep(1)
PYTHON
printf 'slow: exec python3 -u slow.py\n' >one
printf 'slow: exec python3 -u slow.py\nquick: exec sleep 100\n' >two

# Prints what honcho said, its exit code, and how many seconds the stop took.
stop_of() {
    venv/bin/honcho -f "$1" start >"$1.log" 2>&1 &
    local honcho=$! code=0
    until grep -q ' up$' "$1.log"; do sleep 0.1; done
    local begin=$SECONDS
    kill -TERM "$honcho"
    wait "$honcho" || code=$?
    printf '%s: exit code %d after %d s; %s\n' "$1" "$code" "$((SECONDS - begin))" "$(grep -o 'slow.* stopped.*' "$1.log")"
}

alone=$(stop_of one)
beside=$(stop_of two)
printf '%s\n%s\n' "$alone" "$beside"
# one: exit code 143 after 8 s; slow.1 stopped (rc=0)
[[ $alone =~ 'exit code 143 after '(8|9)' s'.*'(rc=0)' ]]
# two: exit code 143 after 5 s; slow.1 stopped (rc=-9)
[[ $beside =~ 'exit code 143 after '(5|6)' s'.*'(rc=-9)' ]]
