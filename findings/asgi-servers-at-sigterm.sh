#!/usr/bin/env bash
# ASGI servers at a SIGTERM while one request of three seconds is in flight: uvicorn 0.54.0, hypercorn 0.18.0, daphne 4.2.3
# (PyPI). Each is told to stop one second after the request has come.
#
# Guessed: each answers the request and leaves with 0, whether it has one worker or two.
# Seen:
# - uvicorn answers. With one process it then leaves by the signal (143 in a shell), with `--workers 2` with 0: a supervisor
#   that counts 143 as a failure sees failures that depend on the number of workers.
# - hypercorn with one worker answers and leaves with 0. With `--workers 2` it leaves with 0 at once, and the client has its
#   connection closed without a byte: the grace period is that of one worker only.
# - daphne leaves with 0 at once, and the client gets no byte either.
# So an exit code of 0 does not say that requests were finished, and 143 does not say that they were not.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'uvicorn==0.54.0' 'hypercorn==0.18.0' 'daphne==4.2.3'

cat >app.py <<'PYTHON'
import asyncio

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    open("arrived", "w").close()
    await asyncio.sleep(3)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})
PYTHON

# stop_of PORT COMMAND…: prints the exit code of the server, and what the client got.
stop_of() {
    local port=$1 code=0 server client answer
    shift
    rm -f arrived answer
    "$@" >server.log 2>&1 &
    server=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done
    curl --silent --max-time 20 "http://127.0.0.1:$port/" >answer &
    client=$!
    until [[ -e arrived ]]; do sleep 0.1; done
    sleep 1
    kill -TERM "$server"
    wait "$server" || code=$?
    wait "$client" || true
    answer=$(<answer)
    printf '%d %s\n' "$code" "${answer:-nothing}"
}

check() {
    local seen
    seen=$(stop_of "${@:3}")
    printf '%-22s %s\n' "$1" "$seen"
    [[ $seen == "$2" ]]
}

check 'uvicorn, one process' '143 done' 18101 venv/bin/uvicorn --port 18101 app:app
check 'uvicorn, two workers' '0 done' 18102 venv/bin/uvicorn --workers 2 --port 18102 app:app
check 'hypercorn, one worker' '0 done' 18103 venv/bin/hypercorn --bind 127.0.0.1:18103 app:app
check 'hypercorn, two workers' '0 nothing' 18104 venv/bin/hypercorn --workers 2 --bind 127.0.0.1:18104 app:app
check 'daphne' '0 nothing' 18105 venv/bin/daphne --port 18105 app:app
# uvicorn, one process   143 done
# uvicorn, two workers   0 done
# hypercorn, one worker  0 done
# hypercorn, two workers 0 nothing
# daphne                 0 nothing
