#!/usr/bin/env bash
# start-server-and-test 3.0.12 (npm) on node 20: "Starts server, waits for URL, then runs test command; when the tests end, shuts down
# server". The server takes three seconds to stop when it is told to, and answers until then. The test passes, fails with 5, or is
# still running when start-server-and-test gets a SIGTERM, as at the time limit of a pipeline.
#
# Guessed: it leaves with the code of the test, after the server has stopped, whether the test passes or fails. No guess was written
# down for the SIGTERM.
# Seen:
# - The test passes: it tells the server by SIGINT, waits for it, and leaves with 0.
# - The test fails: it tells the server and leaves at once, with 1, whatever the code of the test was. The server still answers.
# - SIGTERM: it leaves by the signal (143). Neither the server nor the test is told, and both go on.
# So a failed test that is run again at once meets the server of the attempt before, which answers, counts as ready, and goes away
# in the middle of the second attempt; and after a time limit it stays. Wait until the port is free before each attempt, and end the
# process group at a limit. A tool that ends for a failure stops what it has started just as it does at a success.

set -euo pipefail
folder=$(mktemp -d)
group=
trap '[[ -z $group ]] || kill -KILL -- "-$group" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix . start-server-and-test@3.0.12
export PATH="$folder/node_modules/.bin:$PATH" HOME=$folder WAIT_ON_TIMEOUT=60000
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY

cat >server.js <<'JS'
const { appendFileSync, writeFileSync } = require("node:fs");
const { createServer } = require("node:http");

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
    process.once(signal, () => {
        appendFileSync("told", signal);
        setTimeout(() => {
            writeFileSync("stopped", "");
            process.exit(0);
        }, 3000);
    });
}
createServer((request, response) => response.end("yes")).listen(18995, "127.0.0.1");
JS

answers() { curl --silent --max-time 2 http://127.0.0.1:18995/ >answer; }

# check NAME SIGNAL TEST EXPECTED: how start-server-and-test leaves, and what the server does then.
check() {
    local code=0 seen
    rm -f told stopped testing
    # Job control gives it a group, which it does not end itself.
    set -m
    start-server-and-test 'node server.js' http-get://127.0.0.1:18995 "touch testing; $3" >runner.log 2>&1 </dev/null &
    group=$!
    set +m
    if [[ $2 != none ]]; then
        for ((i = 0; i < 600; i++)); do
            if [[ -e testing ]]; then break; fi
            sleep 0.1
        done
        kill "-$2" "$group"
    fi
    wait "$group" 2>/dev/null || code=$?
    if answers; then seen=answers; else seen='is gone'; fi
    seen="leaves with $code, server told $(cat told 2>/dev/null || echo nothing) and $seen,"
    # One that was told is gone three seconds later.
    sleep 6
    if [[ -e stopped ]]; then seen+=' stopped in the end'; elif answers; then seen+=' goes on'; else seen+=' killed'; fi
    kill -KILL -- "-$group" 2>/dev/null || true
    group=
    printf '%-14s %s\n' "$1" "$seen"
    [[ $seen == "$4" ]]
}

check 'test passes' none 'exit 0' 'leaves with 0, server told SIGINT and is gone, stopped in the end'
check 'test fails' none 'exit 5' 'leaves with 1, server told SIGINT and answers, stopped in the end'
check 'SIGTERM' TERM 'sleep 60' 'leaves with 143, server told nothing and answers, goes on'
