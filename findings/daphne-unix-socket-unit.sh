#!/usr/bin/env bash
# Servers for ASGI whose listener is a Unix socket that another process has bound and hands over as descriptor 3, as a socket unit of
# systemd does: daphne 4.2.3 (`--fd 3`), uvicorn 0.54.0 (`--fd 3`, with one worker and with two), hypercorn 0.18.0 (`fd://3`) and
# gunicorn 27.0.1 (worker class `asgi`, by LISTEN_FDS) (PyPI). Each gets a request and then a SIGTERM, and a second one takes its place
# while the listener stays open. The help of daphne has `--fd` for "a file descriptor rather than a TCP host/port or named unix socket".
#
# Guessed: each answers, leaves the file of the socket in peace, and leaves with 0, and so does the second one.
# Seen:
# - uvicorn, hypercorn and gunicorn answer, and so do the second ones. uvicorn with one worker leaves by the signal (143 in a shell).
# - daphne logs "Listening on TCP address" with two letters of the path, takes each connection and resets it, and leaves with 0 when it
#   is told to. With a TCP listener it answers.
# So it is up for a manager, and for a readiness that only connects; no request is ever answered. Give daphne a TCP listener or `-u`,
# and let a probe ask for a page.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'daphne==4.2.3' 'uvicorn==0.54.0' 'hypercorn==0.18.0' 'gunicorn==27.0.1'

cat >app.py <<'PYTHON'
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
PYTHON
cat >unit.py <<'PYTHON'
import os
import socket
import subprocess
import sys
import time

kind, *command = sys.argv[1:]
if kind == "unix":
    bound = socket.socket(socket.AF_UNIX)
    bound.bind("socket")
    bound.listen()
else:
    bound = socket.create_server(("127.0.0.1", 18271))
address = bound.getsockname()
handed = os.dup(bound.fileno())
os.dup2(handed, 3)


def ask():
    with socket.socket(bound.family) as client:
        client.settimeout(10)
        client.connect(address)
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        try:
            return "answers" if b" 200 " in client.recv(1000) else "closes"
        except ConnectionResetError:
            return "resets"


said = []
for _ in range(2):
    script = 'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"'
    server = subprocess.Popen(["sh", "-c", script, "sh", *command], pass_fds=[3], stdout=sys.stderr)
    # The request waits in the queue of the listener until the server is there.
    answer = ask()
    # It may not have begun to listen to signals.
    time.sleep(1)
    server.terminate()
    said.append(f"{answer}, {server.wait(20)}")
there = kind == "tcp" or os.path.exists(address)
print("; ".join(said) + ("" if there else "; the file is gone"))
PYTHON

# check KIND EXPECTED COMMAND…: what the first and the second one do, and their codes.
check() {
    local said
    rm -f socket
    said=$(PYTHONPATH=. venv/bin/python unit.py "$1" "venv/bin/$3" "${@:4}" 2>log)
    printf '%-34s %s\n' "$1, ${*:3}:" "$said"
    [[ $said == "$2; $2" ]]
}

check unix 'resets, 0' daphne --fd 3 app:app
check tcp 'answers, 0' daphne --fd 3 app:app
check unix 'answers, -15' uvicorn --fd 3 app:app
check unix 'answers, 0' uvicorn --fd 3 --workers 2 app:app
check unix 'answers, 0' hypercorn --bind fd://3 app:app
check unix 'answers, 0' gunicorn -k asgi app:app
# unix, daphne --fd 3 app:app:       resets, 0; resets, 0
# tcp, daphne --fd 3 app:app:        answers, 0; answers, 0
# unix, uvicorn --fd 3 app:app:      answers, -15; answers, -15
# unix, uvicorn --fd 3 --workers 2 app:app: answers, 0; answers, 0
# unix, hypercorn --bind fd://3 app:app: answers, 0; answers, 0
# unix, gunicorn -k asgi app:app:    answers, 0; answers, 0
