#!/usr/bin/env bash
# ASGI servers with two workers, one of which is killed (SIGKILL, as the kernel does when memory is short) while the other one
# answers a request of three seconds: uvicorn 0.54.0, hypercorn 0.18.0, granian 2.8.9, gunicorn 27.0.1 with its own worker class
# `asgi` (PyPI).
#
# Guessed: each puts a new worker in the place of the old one, apart from granian, which ends with 1. The client of the other
# worker has its answer in each case.
# Seen:
# - uvicorn and gunicorn make a new worker, and the client has its answer.
# - granian stops the other worker in order (the client has its answer) and leaves with 1.
# - hypercorn ends the other worker at once, the client gets no byte, and it leaves with 0.
# So one worker that is killed takes all of hypercorn with it, and the exit code says that all is well: under
# `Restart=on-failure` it stays away. Whoever supervises it has to restart on 0 too, or to run one worker for each unit and
# leave the number to the supervisor. A program that runs parts of its own should end with a failure when a part was killed.

set -euo pipefail
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -TERM "$server" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'uvicorn==0.54.0' 'hypercorn==0.18.0' 'granian==2.8.9' 'gunicorn==27.0.1'
export PATH="$folder/venv/bin:$PATH"

cat >app.py <<'PYTHON'
import asyncio, os

def note(file):
    with open(file, "a") as lines:
        lines.write(f"{os.getpid()}\n")

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
            note("workers")
    note("busy")
    await asyncio.sleep(3)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})
PYTHON

# Waits until so many workers have begun, or the server has ended.
workers_begun() {
    until (($(wc -l <workers) >= $1)) || ! kill -0 "$server" 2>/dev/null; do sleep 0.1; done
}

# after_kill_of COMMAND…: says what the server did, and what the client got.
after_kill_of() {
    local code=0 client idle
    rm -f workers busy answer
    touch workers busy answer
    "$@" >server.log 2>&1 &
    server=$!
    workers_begun 2
    until (exec 3<>/dev/tcp/127.0.0.1/18202) 2>/dev/null; do sleep 0.1; done
    curl --silent --max-time 20 http://127.0.0.1:18202/ >answer &
    client=$!
    until [[ -s busy ]]; do sleep 0.1; done
    idle=$(grep -vxF "$(<busy)" workers)
    kill -KILL "$idle"
    workers_begun 3
    wait "$client" || true
    [[ -s answer ]] || echo nothing >answer
    seen="new worker, $(<answer)"
    if (($(wc -l <workers) == 3)); then kill -TERM "$server"; fi
    wait "$server" || code=$?
    if (($(wc -l <workers) == 2)); then seen="all ended with $code, $(<answer)"; fi
    server=
}

check() {
    after_kill_of "${@:3}"
    printf '%-9s %s\n' "$1" "$seen"
    [[ $seen == "$2" ]]
}

check uvicorn 'new worker, done' uvicorn --workers 2 --port 18202 app:app
check gunicorn 'new worker, done' gunicorn -k asgi -w 2 -b 127.0.0.1:18202 app:app
check granian 'all ended with 1, done' granian --interface asgi --workers 2 --port 18202 app:app
check hypercorn 'all ended with 0, nothing' hypercorn --workers 2 --bind 127.0.0.1:18202 app:app
# uvicorn   new worker, done
# gunicorn  new worker, done
# granian   all ended with 1, done
# hypercorn all ended with 0, nothing
