#!/usr/bin/env bash
# ASGI servers whose application does not start: uvicorn 0.54.0, hypercorn 0.18.0, granian 2.8.9, gunicorn 27.0.1 with its own
# worker class `asgi` (PyPI). The application either raises while it is imported, or answers `lifespan.startup` with
# `lifespan.startup.failed` ("no database"), as the ASGI specification has it.
#
# Guessed: each ends by itself and leaves with a code that is not 0, whether it has one worker or two.
# Seen:
# - uvicorn with one process leaves with 1 (import) and 3 (startup). With `--workers 2` a startup that fails leaves with 0, and
#   an import that fails never ends: both workers are made again and again, nothing listens on the port, and the parent stays.
# - hypercorn logs the exception and leaves with 0, in all four cases.
# - granian leaves with 1 and gunicorn with 3, as one would think.
# So under `Restart=on-failure`, or any supervisor that goes by the exit code, a hypercorn or a uvicorn with workers that met a
# database which was not there yet counts as completed, and stays away. And a uvicorn with a broken release counts as running
# for ever. What supervises them should restart whatever the code is (`Restart=always`), and take an answer on the port as the
# only sign of a start; a program of one's own does well to fail with a code.

set -euo pipefail
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -TERM "$server" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'uvicorn==0.54.0' 'hypercorn==0.18.0' 'granian==2.8.9' 'gunicorn==27.0.1'
export PATH="$folder/venv/bin:$PATH"

cat >app.py <<'PYTHON'
import os

with open("imports", "a") as imports:
    imports.write("import\n")
if os.environ["FAILS_AT"] == "import":
    raise RuntimeError("no configuration")

async def app(scope, receive, send):
    assert scope["type"] == "lifespan"
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})
PYTHON

start() {
    rm -f imports
    touch imports
    FAILS_AT=$1 "${@:2}" >server.log 2>&1 &
    server=$!
}

# check NAME CODE FAILS_AT COMMAND…: the server ends by itself, with this exit code.
check() {
    local code=0
    start "${@:3}"
    wait "$server" || code=$?
    server=
    printf '%-22s %-7s %d\n' "$1" "$3" "$code"
    [[ -s imports && $code == "$2" ]]
}

# check_goes_on NAME FAILS_AT COMMAND…: the server has tried ten times, is still there, and refuses connections.
check_goes_on() {
    start "${@:2}"
    until (($(wc -l <imports) >= 10)); do sleep 0.1; done
    kill -0 "$server"
    if (exec 3<>/dev/tcp/127.0.0.1/18201) 2>/dev/null; then return 1; fi
    kill -TERM "$server"
    wait "$server" || true
    server=
    printf '%-22s %-7s goes on\n' "$1" "$2"
}

for fails_at in import startup; do
    check 'hypercorn, one worker' 0 $fails_at hypercorn --bind 127.0.0.1:18201 app:app
    check 'hypercorn, two workers' 0 $fails_at hypercorn --workers 2 --bind 127.0.0.1:18201 app:app
    check 'granian, one worker' 1 $fails_at granian --interface asgi --port 18201 app:app
    check 'granian, two workers' 1 $fails_at granian --interface asgi --workers 2 --port 18201 app:app
    check 'gunicorn, two workers' 3 $fails_at gunicorn -k asgi -w 2 -b 127.0.0.1:18201 app:app
done
check 'uvicorn, one process' 1 import uvicorn --port 18201 app:app
check 'uvicorn, one process' 3 startup uvicorn --port 18201 app:app
check 'uvicorn, two workers' 0 startup uvicorn --workers 2 --port 18201 app:app
check_goes_on 'uvicorn, two workers' import uvicorn --workers 2 --port 18201 app:app
# hypercorn, one worker  import  0
# hypercorn, two workers import  0
# granian, one worker    import  1
# granian, two workers   import  1
# gunicorn, two workers  import  3
# hypercorn, one worker  startup 0
# hypercorn, two workers startup 0
# granian, one worker    startup 1
# granian, two workers   startup 1
# gunicorn, two workers  startup 3
# uvicorn, one process   import  1
# uvicorn, one process   startup 3
# uvicorn, two workers   startup 0
# uvicorn, two workers   import  goes on
