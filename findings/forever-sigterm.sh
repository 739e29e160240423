#!/usr/bin/env bash
# forever 4.0.3 (npm) in the foreground, as a service manager would run it: who ends at SIGTERM?
#
# Guessed: forever passes the signal on to its program and ends after it.
# Seen: forever alone ends (143 in a shell, by the signal); its program goes on as an orphan and keeps its port. A manager that sends SIGTERM to the main process alone, as `docker stop` and systemd with
# KillMode=process do, leaves a program that nobody watches, and the next start meets it.

set -euo pipefail
folder=$(mktemp -d)
trap 'kill -KILL $(<"$folder/pid") 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --prefix . 'forever@4.0.3' >npm.log 2>&1
cat >program.js <<'JS'
require('fs').writeFileSync('pid', String(process.pid));
setInterval(() => {}, 1000);
JS
export FOREVER_ROOT=$folder/root

# What is left of the program two seconds after forever has ended by this signal.
left_after() {
    local code=0
    rm -f pid
    node_modules/.bin/forever program.js >forever.log 2>&1 &
    local forever=$!
    until [[ -s pid ]]; do sleep 0.1; done
    sleep 1
    kill "-$1" "$forever"
    wait "$forever" || code=$?
    sleep 2
    if kill -0 "$(<pid)" 2>/dev/null; then
        printf '%s: forever left with %d, its program lives\n' "$1" "$code"
        kill -KILL "$(<pid)"
    else
        printf '%s: forever left with %d, its program is gone\n' "$1" "$code"
    fi
}

term=$(left_after TERM)
printf '%s\n' "$term"
# TERM: forever left with 143, its program lives
[[ $term == 'TERM: forever left with 143, its program lives' ]]
