#!/usr/bin/env bash
# lightship 9.0.3 (npm), "abstracts readiness, liveness and startup checks and graceful shutdown of Node.js services running in
# Kubernetes", on node 20, with `shutdownDelay` of a second, `shutdownHandlerTimeout` of two and `gracefulShutdownTimeout` of three. A
# program registers two handlers for its end, a flush and another one, and gets a SIGTERM: when all is well; when the flush fails; when
# it hangs; and when a job, which holds a beacon, takes longer than all that. Its README: "Shutdown handlers are suspended until there
# are no live beacons".
#
# Guessed: from the signal on `/ready` says no and `/live` says yes. In order it leaves with 0. Where the flush fails the other handler is
# called, and it leaves with 1. Where it hangs it leaves with 1 after its time. No guess was written down for what the other handler does
# then, and for the job.
# Seen:
# - `/live` says no (500) from the signal on, as its README has it, through the second in which it still serves.
# - The flush fails: the other handler is called, it leaves with 0, and neither stdout nor stderr has a word of it.
# - The flush hangs, or the job does not end: it leaves with 1, and handlers that had not begun never do: one in the first case, both in
#   the second.
# So a flush that failed counts as an end in order, and one slow job costs the flush. And what asks for liveness at a drain sees a program
# that is to be killed, where it is not the kubelet that has told it to stop. Let each handler catch what it raises, log it and set
# `process.exitCode`, and let a beacon die before the time is over. A program that drains is alive, and its end is called whatever
# happens before it.

set -euo pipefail
folder=$(mktemp -d)
program=
trap '[[ -z $program ]] || kill -KILL "$program" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix . lightship@9.0.3

cat >program.mjs <<'JS'
import { writeFileSync } from "node:fs";
import { createLightship } from "lightship";

const kind = process.argv[2];
const lightship = await createLightship({
    port: 18481,
    detectKubernetes: false,
    shutdownDelay: 1000,
    shutdownHandlerTimeout: 2000,
    gracefulShutdownTimeout: 3000,
});
const work = setInterval(() => {}, 1000);
lightship.registerShutdownHandler(async () => {
    console.log("flush begins");
    if (kind === "fails") throw new Error("not flushed");
    if (kind === "hangs") await new Promise(() => {});
    console.log("flush done");
});
lightship.registerShutdownHandler(() => {
    console.log("other done");
    clearInterval(work);
});
if (kind === "job") lightship.createBeacon();
lightship.signalReady();
writeFileSync("up", "");
JS

answer() { curl --silent --max-time 1 --output page --write-out '%{http_code}' "http://127.0.0.1:18481/$1" || true; }
# check KIND EXPECTED
check() {
    local code=0 seen
    rm -f up
    # Its own log is off unless told.
    env -u ROARR_LOG node program.mjs "$1" >log 2>&1 &
    program=$!
    until [[ -e up ]]; do sleep 0.1; done
    seen="$(answer ready) $(answer live)"
    kill -TERM "$program"
    sleep 0.3
    seen+=", then $(answer ready) $(answer live)"
    wait "$program" || code=$?
    program=
    seen+=", left with $code: $(tr '\n' ',' <log | sed 's/,$//; s/,/, /g')"
    printf '%-6s %s\n' "$1" "$seen"
    [[ $seen == "$2" ]]
}
check well '200 200, then 500 500, left with 0: flush begins, flush done, other done'
check fails '200 200, then 500 500, left with 0: flush begins, other done'
check hangs '200 200, then 500 500, left with 1: flush begins'
check job '200 200, then 500 500, left with 1: '
# well   200 200, then 500 500, left with 0: flush begins, flush done, other done
# fails  200 200, then 500 500, left with 0: flush begins, other done
# hangs  200 200, then 500 500, left with 1: flush begins
# job    200 200, then 500 500, left with 1:
