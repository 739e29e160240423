#!/usr/bin/env bash
# prexit 2.3.0 (npm), "a graceful way to shutdown / handle process exit", on node 20: a program with two handlers, one that needs 0.3 s
# and one that needs 1.5 s. Its README: "Prexit will await all promises that callbacks returns, and will ensure they are only called
# once", and "set prexit.code to exit with non 0, eg prexit.code = 1".
#
# Guessed: after a SIGTERM both handlers are awaited, then it leaves with 0 (for `prexit.code` the README). A second signal changes nothing.
# After an uncaught exception, and where a handler fails, both are awaited as well, and it leaves with 1.
# Seen:
# - One SIGTERM: in order, 0.
# - A second signal, the same one or another, ends the program at once with 0. Only handlers that were done are done.
# - After an uncaught exception, or a rejection that nobody handles, both are awaited and it leaves with 0.
# - Where one handler fails it leaves with 1, but the other one is cut off.
# - `prexit.code = 7` is never read: it leaves with 0. `process.exitCode = 7` is.
# So a crash counts as an end in order, for which `Restart=on-failure` does nothing, and a terminal or a runner that signals twice cuts
# off the flush, with 0 too. Set `process.exitCode` in the first handler when it is given an error, let handlers catch what they raise,
# and wait for a promise of one's own. A program that was cut off, or that crashed, leaves with a code that says so.

set -euo pipefail
folder=$(mktemp -d)
program=
trap '[[ -z $program ]] || kill -KILL "$program" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix . prexit@2.3.0

cat >program.mjs <<'JS'
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import prexit from "prexit";

const note = (text) => appendFileSync("notes", text + "\n");
const how = process.argv[2];
prexit(async () => {
    note("short begins");
    if (how === "code") prexit.code = 7;
    if (how === "exitCode") process.exitCode = 7;
    if (how === "handler") throw new Error("not flushed");
    await sleep(300);
    note("short done");
});
prexit(async () => {
    await sleep(1500);
    note("long done");
});
setInterval(() => {}, 1000);
setTimeout(() => {
    note("up");
    if (how === "exception") throw new Error("lost");
    if (how === "rejection") Promise.reject(new Error("lost"));
}, 100);
JS

# Waits for a note, ten seconds at most.
noted() {
    for ((i = 0; i < 200; i++)); do
        if grep -qx "$1" notes; then return; fi
        sleep 0.05
    done
    return 1
}

# check HOW EXPECTED [SIGNAL [SECOND SIGNAL]]: the exit code, and the handlers that were done.
check() {
    local code=0 seen
    : >notes
    node program.mjs "$1" >log 2>&1 &
    program=$!
    noted up
    [[ -z ${3:-} ]] || kill "-$3" "$program"
    [[ -z ${4:-} ]] || { noted 'short done' && kill "-$4" "$program"; }
    wait "$program" || code=$?
    program=
    seen="$code: $(sed -n 's/ done$//p' notes | paste -sd' ')"
    printf '%-9s %-9s %s\n' "$1" "${*:3}" "$seen"
    [[ $seen == "$2" ]]
}

check plain '0: short long' TERM
check plain '0: short' TERM TERM
check plain '0: short' TERM INT
check exception '0: short long'
check rejection '0: short long'
check handler '1: ' TERM
check code '0: short long' TERM
check exitCode '7: short long' TERM
# plain     TERM      0: short long
# plain     TERM TERM 0: short
# plain     TERM INT  0: short
# exception           0: short long
# rejection           0: short long
# handler   TERM      1:
# code      TERM      0: short long
# exitCode  TERM      7: short long
