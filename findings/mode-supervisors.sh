#!/usr/bin/env bash
# mode-streaming 0.7.1 (PyPI), services for asyncio that start, stop and restart each other, with its supervisors, which are named after
# those of Erlang: service `a` fails 0.2 s after each of its starts, `b` beside it is sound. Both are given to `OneForOneSupervisor` or
# `CrashingSupervisor` ("Supervisor that crashes the whole program"), by its constructor or by `add()`, with `max_restarts=3, over=100`.
# Its `Worker` runs the whole, and gets a SIGTERM after eleven seconds if it has not ended.
#
# Guessed: `a` is begun again at once, and its fourth failure within 100 s ends the program with 1. Under `CrashingSupervisor` the first
# one does.
# Seen:
# - Without a supervisor the first failure stops `b` in order and ends the program with 1.
# - `add()`: `a` is begun again at once, more than twenty times in eleven seconds, without a longer wait and without an end. At the
#   SIGTERM the program leaves with 0.
# - The constructor: `a` is begun again as well, each time after five seconds in which it is down.
# - `CrashingSupervisor`: the program goes on, and `a` is begun again five seconds after each failure.
# So nothing above ever hears of a service that cannot work, neither by the limit nor by the supervisor that is there to tell it, and the
# exit code says that all was well. Count restarts in the service itself, or leave the supervisor out, so that the manager of services
# sees the failure and restarts the program. A limit of restarts is one that a test has seen to hold.

set -euo pipefail
folder=$(mktemp -d)
programs=()
trap 'for program in "${programs[@]}"; do kill -KILL "$program" 2>/dev/null || true; done; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'mode-streaming==0.7.1'

cat >program.py <<'PYTHON'
import asyncio, sys
import mode

name, how = sys.argv[1:]

def note(text):
    with open(f"{name}-{how}.notes", "a") as notes:
        notes.write(text + "\n")

class A(mode.Service):
    async def on_start(self):
        note("a starts")

    @mode.Service.task
    async def work(self):
        await asyncio.sleep(0.2)
        raise RuntimeError("connection lost")

class B(mode.Service):
    async def on_start(self):
        note("b starts")

    async def on_stop(self):
        await asyncio.sleep(0.5)
        note("b stopped")

class Program(mode.Service):
    async def on_start(self):
        parts = [A(), B()]
        if name == "none":
            for part in parts:
                await self.add_runtime_dependency(part)
            return
        kind = getattr(mode, name)
        if how == "constructor":
            supervisor = kind(*parts, max_restarts=3, over=100)
        else:
            supervisor = kind(max_restarts=3, over=100)
            supervisor.add(*parts)
        await self.add_runtime_dependency(supervisor)

mode.Worker(Program(), loglevel="INFO", daemon=True).execute_from_commandline()
PYTHON

kinds=('none add' 'OneForOneSupervisor add' 'OneForOneSupervisor constructor' 'CrashingSupervisor add' 'CrashingSupervisor constructor')
for kind in "${kinds[@]}"; do
    # shellcheck disable=SC2086
    venv/bin/python program.py $kind >"$kind.log" 2>&1 &
    programs+=($!)
done
for kind in "${kinds[@]}"; do
    until grep -qs '^b starts' "${kind/ /-}.notes"; do sleep 0.1; done
done
sleep 11

# check NUMBER EXPECTED
check() {
    local code=0 end='by itself' starts
    if kill -TERM "${programs[$1]}" 2>/dev/null; then end='at SIGTERM'; fi
    wait "${programs[$1]}" || code=$?
    starts=$(grep -c '^a starts' "${kinds[$1]/ /-}.notes")
    if ((starts > 20)); then
        starts='more than 20'
    elif ((starts >= 2 && starts <= 4)); then
        starts='2 to 4'
    fi
    seen="$end with $code, starts of a: $starts, b stopped: $(grep -c '^b stopped' "${kinds[$1]/ /-}.notes")"
    printf '%-32s %s\n' "${kinds[$1]}:" "$seen"
    [[ $seen == "$2" ]]
}
check 0 'by itself with 1, starts of a: 1, b stopped: 1'
check 1 'at SIGTERM with 0, starts of a: more than 20, b stopped: 1'
for i in 2 3 4; do
    check $i 'at SIGTERM with 0, starts of a: 2 to 4, b stopped: 1'
done
# none add:                        by itself with 1, starts of a: 1, b stopped: 1
# OneForOneSupervisor add:         at SIGTERM with 0, starts of a: more than 20, b stopped: 1
# OneForOneSupervisor constructor: at SIGTERM with 0, starts of a: 2 to 4, b stopped: 1
# CrashingSupervisor add:          at SIGTERM with 0, starts of a: 2 to 4, b stopped: 1
# CrashingSupervisor constructor:  at SIGTERM with 0, starts of a: 2 to 4, b stopped: 1
