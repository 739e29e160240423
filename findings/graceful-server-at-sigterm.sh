#!/usr/bin/env bash
# @gquittet/graceful-server 5.2.17 (npm), "make your API more graceful", on node 20: a plain `http` server with it at a SIGTERM
# and at a SIGINT, with a request in flight and without.
#
# Guessed: it stops accepting, waits for the requests that are in flight, `timeout` (1 s unless told) at most, and leaves with
# 0; without requests at once.
# Seen:
# - It leaves with the number of the signal: 15 at SIGTERM, 2 at SIGINT. That is neither 0 nor what a shell or a service manager
#   calls an end by the signal (143, 130), so to each of them a stop in order is a failure.
# - `timeout` is not the longest wait but the wait: with 3 s it takes 3 s where nobody is connected, and as long where the one
#   request has been answered after a tenth of a second.
# - A request that takes longer than `timeout` is cut off without a byte, and the exit code is the same.
# So `timeout` belongs well below the grace period of what supervises it and above the longest request, each stop costs all of
# it, and 15 and 2 have to be named as success (`SuccessExitStatus=15 2`). A program that stops in order says 0, whatever told
# it to.

set -euo pipefail
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -KILL "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix . @gquittet/graceful-server@5.2.17

cat >server.mjs <<'JS'
import http from "node:http";
import { writeFileSync } from "node:fs";
import graceful from "@gquittet/graceful-server";

const [, , answerAfter, timeout] = process.argv;
const server = http.createServer((_, response) => {
    writeFileSync("arrived", "");
    setTimeout(() => response.end("done"), Number(answerAfter));
});
const state = (graceful.default ?? graceful)(server, timeout ? { timeout: Number(timeout) } : {});
server.listen(18231, "127.0.0.1", () => {
    state.setReady();
    writeFileSync("up", "");
});
JS

# stop_of SIGNAL CLIENTS ANSWER_AFTER [TIMEOUT]: the exit code, what the client got, and the time the stop took in seconds.
stop_of() {
    local code=0 client= begin
    rm -f up arrived answer
    node server.mjs "${@:3}" >server.log 2>&1 &
    server=$!
    until [[ -e up ]]; do sleep 0.1; done
    if [[ $2 == busy ]]; then
        curl --silent --max-time 30 http://127.0.0.1:18231/ >answer &
        client=$!
        until [[ -e arrived ]]; do sleep 0.1; done
    fi
    begin=$(date +%s%3N)
    kill "-$1" "$server"
    wait "$server" || code=$?
    server=
    took=$((($(date +%s%3N) - begin)))
    [[ -z $client ]] || wait "$client" || true
    [[ -s answer ]] || echo nothing >answer
    seen="$code $(<answer)"
}

# check WHAT CODE_AND_ANSWER AT_LEAST_MS SIGNAL CLIENTS ANSWER_AFTER [TIMEOUT]
check() {
    stop_of "${@:4}"
    printf '%-46s %s after %d s\n' "$1" "$seen" "$((took / 1000))"
    [[ $seen == "$2" ]] && ((took >= $3))
}

check 'SIGTERM, no client' '15 nothing' 900 TERM idle 0
check 'SIGINT, no client' '2 nothing' 900 INT idle 0
check 'SIGTERM, no client, timeout 3 s' '15 nothing' 2900 TERM idle 0 3000
check 'SIGTERM, answered after 0.1 s, timeout 3 s' '15 done' 2900 TERM busy 100 3000
check 'SIGTERM, answer would take 10 s' '15 nothing' 900 TERM busy 10000
# SIGTERM, no client                             15 nothing after 1 s
# SIGINT, no client                              2 nothing after 1 s
# SIGTERM, no client, timeout 3 s                15 nothing after 3 s
# SIGTERM, answered after 0.1 s, timeout 3 s     15 done after 3 s
# SIGTERM, answer would take 10 s                15 nothing after 1 s
