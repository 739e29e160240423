#!/usr/bin/env bash
# ASGI servers with two workers that are told to reload (SIGHUP) when the release on the disk is broken: uvicorn 0.54.0, hypercorn
# 0.18.0, granian 2.8.9, gunicorn 27.0.1 with its own worker class `asgi` (PyPI). The new release answers `lifespan.startup` with
# `lifespan.startup.failed` ("no database"), or raises while it is imported. Each server takes up a sound release at a SIGHUP.
#
# Guessed: granian keeps its old workers, which are sound, and says so in the log. uvicorn takes them down and makes broken ones again
# and again. hypercorn has no reload: it takes no notice of the signal, or ends by it. gunicorn ends with 3.
# Seen:
# - uvicorn keeps them: it waits five seconds for the first new one, aborts the reload, and answers all the time.
# - hypercorn, which stops all of its old workers first, ends with 0.
# - granian logs "Unexpected exit" of the new worker, waits, stops the old one all the same, goes on to the next, and ends with 1.
# - gunicorn says "Worker failed to boot" and ends, mostly with 3, sometimes with 1.
# So with three of four the reload of a broken release is a stop, and `Restart=on-failure` does nothing after hypercorn's, which
# leaves with 0. Start the release beside the old one, on another port, before the signal. What reloads parts of a program lets an
# old one go when the new one is ready, and not before.

set -euo pipefail
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -TERM "$server" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder PYTHONDONTWRITEBYTECODE=1
python3 -m venv venv
venv/bin/pip install --quiet 'uvicorn==0.54.0' 'hypercorn==0.18.0' 'granian==2.8.9' 'gunicorn==27.0.1'
export PATH="$folder/venv/bin:$PATH"

# release WORD [FAILS_AT]: puts a release on the disk, one that answers with the word.
release() {
    cat >next.py <<PYTHON
word, fails_at = b"$1", "${2:-}"
if fails_at == "import":
    raise RuntimeError("no configuration")

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if fails_at == "startup":
                await send({"type": "lifespan.startup.failed", "message": "no database"})
                return
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": word})
PYTHON
    mv next.py app.py
}
answer() { curl --silent --max-time 2 http://127.0.0.1:18281/ || true; }

# Waits for an answer in this word, thirty seconds at most.
answers() {
    for ((i = 0; i < 300; i++)); do
        if [[ $(answer) == "$1" ]]; then return; fi
        sleep 0.1
    done
    return 1
}

# check NAME FAILS_AT EXPECTED COMMAND…: a sound reload, then a broken one, and what became of the server in fifteen seconds.
check() {
    local code=0 seen
    release one
    "${@:4}" >server.log 2>&1 &
    server=$!
    answers one
    # A worker that is not up yet when the release changes would be the broken one.
    sleep 2
    release two
    kill -HUP "$server"
    answers two
    sleep 3
    release three "$2"
    kill -HUP "$server"
    for ((i = 0; i < 150; i++)); do
        if ! kill -0 "$server" 2>/dev/null; then break; fi
        sleep 0.1
    done
    if kill -0 "$server" 2>/dev/null; then
        seen="answers $(answer)"
        kill -TERM "$server"
        wait "$server" || true
    else
        wait "$server" || code=$?
        seen="left with $code"
    fi
    server=
    printf '%-9s %-7s %s\n' "$1" "$2" "$seen"
    [[ $seen =~ ^$3$ ]]
}

check uvicorn startup 'answers two' uvicorn --workers 2 --port 18281 app:app
check hypercorn startup 'left with 0' hypercorn --workers 2 --bind 127.0.0.1:18281 app:app
check hypercorn import 'left with 0' hypercorn --workers 2 --bind 127.0.0.1:18281 app:app
check granian startup 'left with 1' granian --workers 2 --port 18281 --interface asgi app:app
check gunicorn startup 'left with [13]' gunicorn --workers 2 --bind 127.0.0.1:18281 --worker-class asgi app:app
# uvicorn   startup answers two
# hypercorn startup left with 0
# hypercorn import  left with 0
# granian   startup left with 1
# gunicorn  startup left with 3
