#!/usr/bin/env bash
# sanic 25.12.1 (PyPI), a server and framework for Python with a manager of workers of its own: `before_server_start` raises ("no
# database"), or takes five seconds and a SIGTERM comes meanwhile, or a second SIGTERM comes while the server answers a request of
# three seconds. A shell supervises it, and has another program beside it, in one process group, as a script, a container's entry
# point and `subprocess` of Python start what they run.
#
# Guessed: after the failed start sanic leaves with a code that is not 0, which the shell sees, and the other program lives. No guess was
# written down for the SIGTERM during the start and the second one.
# Seen:
# - After a failed start, and at a second SIGTERM, the shell and the other program are killed with sanic (SIGKILL), before the shell
#   has an exit code. The manager signals the process group of its worker, which is its own and that of whoever started it, with one
#   worker too. The log says "Killing Sanic-Server-0-0" and no word of others.
# - A SIGTERM during the start ends the worker. The manager goes on waiting for it, twelve seconds later too: nothing answers, and the
#   process is there. (It was after 45 s, when it was watched for longer.)
# - One SIGTERM after the start ends it in order, with 0, after the request. In a group of its own (`setsid --wait`) the shell sees 137
#   for a failed start. With `--single-process` it sees 1.
# So a database that is not there yet takes down what was to start the server again, and all that it runs besides; and a stop early
# enough, as when a new release is rolled back at once, costs all of the grace period. Start sanic in a group of its own. What kills a
# group has made that group, and a supervisor gives one to each child; what waits for a start ends the wait at a stop.

set -euo pipefail
folder=$(mktemp -d)
group=
trap '[[ -z $group ]] || kill -KILL -- "-$group" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder PYTHONDONTWRITEBYTECODE=1
python3 -m venv venv
venv/bin/pip install --quiet 'sanic==25.12.1'
export PATH="$folder/venv/bin:$PATH"

cat >program.py <<'PYTHON'
import asyncio, os
from sanic import Sanic, response

app = Sanic("program")

@app.before_server_start
async def connect(app):
    if os.environ["DATABASE"] == "none":
        raise RuntimeError("no database")
    if os.environ["DATABASE"] == "slow":
        open("arrived", "w").close()
        await asyncio.sleep(5)

@app.after_server_start
async def started(app):
    open("started", "w").close()

@app.get("/")
async def answer(request):
    open("arrived", "w").close()
    await asyncio.sleep(3)
    return response.text("done")
PYTHON

cat >supervisor.sh <<'SHELL'
sleep 600 &
echo $! >neighbour
"$@" >server.log 2>&1 &
echo $! >server.new
mv server.new server
code=0
wait $! || code=$?
kill -0 "$(<neighbour)" || exit
echo "sees $code" >supervisor
SHELL

# Waits for a file, thirty seconds at most.
comes() {
    for ((i = 0; i < 300; i++)); do
        if [[ -e $1 ]]; then return; fi
        sleep 0.1
    done
    return 1
}

# Waits until a process is gone, five seconds at most.
ends() {
    for ((i = 0; i < 50; i++)); do
        if ! kill -0 "$1" 2>/dev/null; then return; fi
        sleep 0.1
    done
    return 1
}

# check NAME DATABASE SIGNALS EXPECTED COMMAND…: signals to the server, and what is left of its supervisor and the other program.
check() {
    local code=0 seen= client=
    rm -f supervisor neighbour server started arrived
    # Job control gives the supervisor a group of its own.
    set -m
    DATABASE=$2 bash supervisor.sh "${@:5}" &
    group=$!
    set +m
    comes server
    if (($3 > 0)); then
        if [[ $2 == there ]]; then
            comes started
            # The manager has to hear of it too.
            sleep 3
            curl --silent http://127.0.0.1:18951/ >answer &
            client=$!
        fi
        comes arrived
        for ((signal = 1; signal <= $3; signal++)); do
            kill -TERM "$(<server)"
            sleep 0.5
        done
    fi
    if [[ $2 == slow ]]; then
        sleep 12
        if kill -0 "$(<server)" && ! curl --silent --max-time 2 http://127.0.0.1:18951/ >answer; then
            seen='server stays and does not answer'
        else
            seen='server is gone, or answers'
        fi
        kill -KILL -- "-$group"
    fi
    wait "$group" 2>/dev/null || code=$?
    if [[ -n $client ]]; then wait "$client" || true; fi
    : "${seen:="supervisor $([[ -e supervisor ]] && cat supervisor || echo "ends with $code"), other program lives"}"
    if [[ $seen == *lives && ! -e supervisor ]] && ends "$(<neighbour)"; then seen="${seen%lives}killed"; fi
    kill -KILL -- "-$group" 2>/dev/null || true
    group=
    printf '%-32s %s\n' "$1" "$seen"
    [[ $seen == "$4" ]]
}

server=(sanic program:app --port 18951)
check 'failed start, one worker' none 0 'supervisor ends with 137, other program killed' "${server[@]}"
check 'failed start, two workers' none 0 'supervisor ends with 137, other program killed' "${server[@]}" --workers 2
check 'failed start, group of its own' none 0 "supervisor sees 137, other program lives" setsid --wait "${server[@]}"
check 'failed start, single process' none 0 "supervisor sees 1, other program lives" "${server[@]}" --single-process
check 'one SIGTERM' there 1 "supervisor sees 0, other program lives" "${server[@]}"
check 'one SIGTERM during the start' slow 1 'server stays and does not answer' "${server[@]}"
check 'two SIGTERM' there 2 'supervisor ends with 137, other program killed' "${server[@]}"
