#!/usr/bin/env bash
# aiomisc 18.0.37 (PyPI), whose `entrypoint` starts and stops the services of a program together: service `a` fails at its start, in
# its work (after `start_event.set()`, as a service that runs on does), or in its `stop()`. Service `b` beside it is sound and needs
# a second to stop. Where the program does not end by itself it gets a SIGTERM after four seconds.
#
# Guessed: a failed start and a failure in the work end the program: `b` is stopped, and the exit code is 1. After a `stop()` that
# raises `b` is stopped to its end all the same, and the exit code is not 0.
# Seen:
# - In order: both stop, and it leaves with 0.
# - A failed start ends the program with 1, but `stop()` of `b`, which had started, is not called.
# - A failure in the work is logged as "Task exception was never retrieved", and that is all: the program goes on without `a`.
#   At the SIGTERM both are stopped, and it leaves with 0.
# - A `stop()` that raises cuts off the others: `b` has begun to stop, and does not end it. It leaves with 0.
# So a part that has died shows neither to the service manager nor in the exit code, and a small error at the end costs another
# part its flush. Let each `start()` and each `stop()` catch what they raise, and let the program end by a code of its own. What
# runs the parts of a program ends, or restarts the part, when one fails, and stops every other to its end.

set -euo pipefail
folder=$(mktemp -d)
program=
trap '[[ -z $program ]] || kill -KILL "$program" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'aiomisc==18.0.37'

cat >program.py <<'PYTHON'
import asyncio, sys
from aiomisc import Service, entrypoint

def note(text):
    with open("notes", "a") as notes:
        notes.write(text + "\n")

class Part(Service):
    name = ""
    fails = ""

    async def start(self):
        if self.fails == "start":
            await asyncio.sleep(0.5)
            raise RuntimeError("no database")
        self.start_event.set()
        note(f"{self.name} up")
        if self.fails == "work":
            await asyncio.sleep(0.5)
            raise RuntimeError("connection lost")
        await asyncio.Event().wait()

    async def stop(self, exception=None):
        note(f"{self.name} stops")
        if self.fails == "stop":
            raise RuntimeError("not flushed")
        await asyncio.sleep(1)
        note(f"{self.name} stopped")

with entrypoint(Part(name="a", fails=sys.argv[1]), Part(name="b")) as loop:
    loop.run_forever()
PYTHON

# check FAILS EXPECTED: how the program leaves, and what its services did.
check() {
    local code=0 end='by itself' seen
    rm -f notes
    touch notes
    venv/bin/python program.py "$1" >program.log 2>&1 &
    program=$!
    sleep 4
    if kill -TERM "$program" 2>/dev/null; then end='at SIGTERM'; fi
    wait "$program" || code=$?
    program=
    seen="$end with $code: $(sort notes | tr '\n' ',' | sed 's/,$//; s/,/, /g')"
    printf '%-6s %s\n' "$1" "$seen"
    [[ $seen == "$2" ]]
}

check none 'at SIGTERM with 0: a stopped, a stops, a up, b stopped, b stops, b up'
check start 'by itself with 1: b up'
check work 'at SIGTERM with 0: a stopped, a stops, a up, b stopped, b stops, b up'
grep -q 'connection lost' program.log
check stop 'at SIGTERM with 0: a stops, a up, b stops, b up'
# none   at SIGTERM with 0: a stopped, a stops, a up, b stopped, b stops, b up
# start  by itself with 1: b up
# work   at SIGTERM with 0: a stopped, a stops, a up, b stopped, b stops, b up
# stop   at SIGTERM with 0: a stops, a up, b stops, b up
