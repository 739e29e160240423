#!/usr/bin/env bash
# Runners of node programs at a SIGTERM: concurrently 9.2.5, nodemon 3.1.14, npm-run-all2 8.0.4 (`run-p`), foreman 3.0.1 (`nf`),
# with npm 11.19.1 below `run-p` (npm), on node 20. Each runs one program that takes a second to stop at SIGTERM or SIGINT and leaves
# with 0. Only the runner is told, as a service manager that knows the main process alone would do.
#
# Guessed: each hands SIGTERM on once, waits for the program, and leaves with 0.
# Seen:
# - concurrently hands it on and waits, but leaves with 1: the shell between them, which is told as well, does not survive.
# - nodemon sends three signals within a few milliseconds: SIGTERM, SIGINT, SIGINT. A program that takes a second signal for "now"
#   is never stopped in order. It waits for the program, and then leaves by SIGTERM (143 in a shell).
# - run-p and nf leave at once by SIGTERM (143), and the program is never told: it goes on without them.

set -euo pipefail
folder=$(mktemp -d)
app=
trap '[[ -z $app ]] || kill -KILL "$app" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
cat >package.json <<'JSON'
{"name": "runners", "private": true, "scripts": {"app": "node app.js"}}
JSON
npm install --silent --no-audit --no-fund \
    concurrently@9.2.5 nodemon@3.1.14 npm-run-all2@8.0.4 foreman@3.0.1 npm@11.19.1
echo 'app: node app.js' >Procfile
export PATH="$folder/node_modules/.bin:$PATH"

cat >app.js <<'JS'
const { appendFileSync: append, writeFileSync } = require("fs");
let stops = false;
for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, () => {
        append("heard", ` ${signal}`);
        if (stops) return;
        stops = true;
        setTimeout(() => process.exit(0), 1000);
    });
}
setInterval(() => {}, 1000);
writeFileSync("pid", `${process.pid}`);
JS

# stop_of COMMAND…: the exit code of the runner, whether the program is there after that, and what it has heard.
stop_of() {
    local runner code=0 left=gone
    rm -f pid heard
    "$@" >runner.log 2>&1 &
    runner=$!
    until [[ -s pid ]]; do sleep 0.1; done
    app=$(<pid)
    sleep 1
    kill -TERM "$runner"
    wait "$runner" || code=$?
    sleep 2
    if kill -0 "$app" 2>/dev/null; then
        left=there
        kill -KILL "$app"
    fi
    touch heard
    seen="$code $left$(<heard)"
}

check() {
    stop_of "${@:3}"
    printf '%-14s %s\n' "$1" "$seen"
    [[ $seen == "$2" ]]
}

check concurrently '1 gone SIGTERM' concurrently 'node app.js'
check nodemon '143 gone SIGTERM SIGINT SIGINT' nodemon --quiet app.js
check run-p '143 there' run-p app
check nf '143 there' nf start
