#!/usr/bin/env bash
# Servers that listen on a Unix socket of a path: gunicorn 27.0.1 (worker class `asgi`), granian 2.8.9, uvicorn 0.54.0, hypercorn
# 0.18.0, daphne 4.2.3, waitress 3.0.2 (PyPI). Overlap: a second one starts on the path of the first, as in a restart without a gap,
# then the first gets a SIGTERM, then the second. Killed: the only one is killed (SIGKILL), and another starts.
#
# Guessed: overlap: gunicorn and uvicorn take the path over, and the first one removes the file of the second at its end;
# with granian and hypercorn the second one ends with "address in use". No guess was written down for the others, and for killed.
# Seen:
# - gunicorn is as guessed, and more: after the first one's end the second lives, logs nothing, and no client can reach it. Told
#   to stop it then ends with 1, by an error that the file is not there.
# - uvicorn, hypercorn and waitress take the path over from one that is at work, without a word, and leave the file in peace at the
#   end: the second one answers.
# - granian and daphne refuse, the second one ends with 1.
# - Killed: all start again but granian, which ends with 1, "Address already in use", at each start until somebody removes the file.
# So on a Unix socket a process that lives says nothing about one that is reached: probe the path, not the process. A gunicorn must
# be gone before the next one starts, a granian needs an `ExecStartPre=rm -f`, and a second start by mistake takes all requests
# from the first of the others. A socket that the service manager holds (socket activation) has none of it; a program that binds one
# of its own takes a lock beside it, and removes the file only while it is the one that it has bound.

set -euo pipefail
folder=$(mktemp -d)
first= second=
end_of() { { [[ -z $1 ]] || kill -KILL $(pgrep -P "$1") "$1"; } 2>/dev/null || true; }
trap 'end_of "$first"; end_of "$second"; wait 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder
python3 -m venv venv
venv/bin/pip install --quiet 'gunicorn==27.0.1' 'granian==2.8.9' 'uvicorn==0.54.0' 'hypercorn==0.18.0' 'daphne==4.2.3' \
    'waitress==3.0.2'
export PATH="$folder/venv/bin:$PATH"

cat >app.py <<'PYTHON'
import os

name = os.environ["NAME"].encode()

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": name})

def wsgi(environ, start_response):
    start_response("200 OK", [("content-length", str(len(name)))])
    return [name]
PYTHON
answer() {
    local got
    got=$(curl --silent --max-time 3 --unix-socket socket http://localhost/) || got=nobody
    echo "$got"
}
# answers NAME PID: waits until this one answers, or has ended, fifteen seconds at most.
answers() {
    for ((i = 0; i < 150; i++)); do
        if [[ $(answer) == "$1" ]] || ! kill -0 "$2" 2>/dev/null; then return; fi
        sleep 0.1
    done
}
code_of() {
    code=0
    wait "$1" || code=$?
}

# overlap NAME EXPECTED COMMAND…
overlap() {
    local seen
    rm -f socket
    NAME=first "${@:3}" >first.log 2>&1 &
    first=$!
    answers first "$first"
    NAME=second "${@:3}" >second.log 2>&1 &
    second=$!
    answers second "$second"
    seen="$(answer) answers"
    kill -TERM "$first"
    code_of "$first"
    first=
    seen+=", after its end $(answer)"
    kill -TERM "$second" 2>/dev/null || seen+=', refused'
    code_of "$second"
    second=
    seen+=", left with $code"
    printf '%-9s %s\n' "$1" "$seen"
    [[ $seen == "$2" ]]
}
# killed NAME EXPECTED COMMAND…
killed() {
    local seen
    rm -f socket
    NAME=first "${@:3}" >first.log 2>&1 &
    first=$!
    answers first "$first"
    kill -KILL $(pgrep -P "$first") "$first"
    code_of "$first" 2>/dev/null
    first=
    NAME=second "${@:3}" >second.log 2>&1 &
    second=$!
    answers second "$second"
    seen=$(answer)
    kill -TERM "$second" 2>/dev/null || true
    code_of "$second"
    second=
    printf '%-9s killed: %s\n' "$1" "$seen"
    [[ $seen == "$2" ]]
}

gunicorn=(gunicorn --worker-class asgi --bind unix:socket app:app)
granian=(granian --uds socket --interface asgi app:app)
uvicorn=(uvicorn --uds socket app:app)
hypercorn=(hypercorn --bind unix:socket app:app)
daphne=(daphne -u socket app:app)
waitress=(waitress-serve --unix-socket=socket app:wsgi)
overlap gunicorn 'second answers, after its end nobody, left with 1' "${gunicorn[@]}"
grep -q FileNotFoundError second.log
overlap granian 'first answers, after its end nobody, refused, left with 1' "${granian[@]}"
overlap daphne 'first answers, after its end nobody, refused, left with 1' "${daphne[@]}"
overlap uvicorn 'second answers, after its end second, left with 143' "${uvicorn[@]}"
overlap hypercorn 'second answers, after its end second, left with 0' "${hypercorn[@]}"
overlap waitress 'second answers, after its end second, left with 143' "${waitress[@]}"
killed gunicorn second "${gunicorn[@]}"
killed granian nobody "${granian[@]}"
grep -qi 'address.* in use' second.log
killed daphne second "${daphne[@]}"
killed uvicorn second "${uvicorn[@]}"
killed hypercorn second "${hypercorn[@]}"
killed waitress second "${waitress[@]}"
# gunicorn  second answers, after its end nobody, left with 1
# granian   first answers, after its end nobody, refused, left with 1
# daphne    first answers, after its end nobody, refused, left with 1
# uvicorn   second answers, after its end second, left with 143
# hypercorn second answers, after its end second, left with 0
# waitress  second answers, after its end second, left with 143
# gunicorn  killed: second
# granian   killed: nobody
# daphne    killed: second
# uvicorn   killed: second
# hypercorn killed: second
# waitress  killed: second
