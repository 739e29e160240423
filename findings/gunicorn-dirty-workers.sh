#!/usr/bin/env bash
# gunicorn 27.0.1 (PyPI) with a pool of dirty workers (`--dirty-app`, `--dirty-workers 1`), processes for long tasks beside those that
# answer requests, below a process of their own ("dirty arbiter"). `init()` of the application fails ("no database"); a SIGTERM comes
# while a task of three seconds runs for a request; a task takes longer than `--dirty-timeout`; a new release is taken up by a SIGHUP;
# the dirty worker, or the dirty arbiter, is killed (SIGKILL, as the kernel does when memory is short). The documentation of
# `dirty_graceful_timeout` (30 s unless told): "dirty workers have this much time to finish their current tasks". Of `dirty_timeout`:
# "Workers silent for more than this many seconds are considered stuck and will be killed".
#
# Guessed: a failed `init()` ends gunicorn with 3, as a failed boot of a worker does. At the SIGTERM the request is answered, then it
# leaves with 0. A worker whose task takes too long is killed and made anew. The SIGHUP takes up the new release. After a worker or an
# arbiter was killed its requests fail, and later ones are answered; the worker of an arbiter that is gone ends.
# Seen:
# - The worker that was killed is as guessed.
# - A failed `init()`: gunicorn stays and answers what needs no task. The worker is made anew some hundred times in four seconds, without
#   a wait between two of them, and a request that needs a task gets neither an answer nor an error.
# - SIGTERM: the request fails at once, the task is cut off, and gunicorn leaves with 0 within two seconds.
# - A task that takes too long: the request fails in time, but the worker goes on with it. What comes after that fails as well.
# - SIGHUP: a dirty worker with the new release is made and told to end a moment later. The old one answers, with the old release.
# - The arbiter was killed: a new one is there, with a new worker. The first request after that fails, and the others get neither an
#   answer nor an error, for as long as was looked (5 s each). gunicorn takes its time to stop, leaves with 0, and the old worker lives on
#   as an orphan, with all that it has loaded.
# So a probe of a page without a task says yes while no task can run, and a deployment by SIGHUP goes on with the old code. Probe by a
# task, with a limit of time; restart where one would reload; let tasks bear to be cut off; and let the manager end the whole control
# group. What keeps a pool waits longer each time that a start fails, says that it is not ready, and kills what overruns its time.

set -euo pipefail
folder=$(mktemp -d)
server= old=
end_of() { { [[ -z $1 ]] || kill -KILL "$1"; } 2>/dev/null || true; }
# The arbiter and its worker end by themselves at the SIGTERM of their master.
trap '[[ -z $server ]] || { kill -TERM "$server" && sleep 3; } 2>/dev/null || true
    end_of "$server"; end_of "$old"; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'gunicorn==27.0.1'

cat >tasks.py <<'PYTHON'
import os, time
from gunicorn.dirty import DirtyApp

RELEASE = "first"

def note(text):
    with open("notes", "a") as notes:
        notes.write(text + "\n")

class Tasks(DirtyApp):
    def init(self):
        note(f"init {os.getpid()}")
        if os.path.exists("no-database"):
            raise RuntimeError("no database")

    def work(self, seconds):
        note(f"begins {seconds}")
        time.sleep(seconds)
        note(f"done {seconds}")
        return RELEASE

    def close(self):
        note(f"close {os.getpid()}")
PYTHON
cat >web.py <<'PYTHON'
from gunicorn.dirty import get_dirty_client

def app(environ, start_response):
    seconds = environ["PATH_INFO"].strip("/")
    status, body = "200 OK", "no task"
    if seconds:
        try:
            body = get_dirty_client().execute("tasks:Tasks", "work", float(seconds))
        except Exception as error:
            status, body = "500 Failed", type(error).__name__
    start_response(status, [("Content-Type", "text/plain")])
    return [body.encode()]
PYTHON
sed 's/"first"/"second"/' tasks.py >second.py
cp tasks.py first.py

# noted PATTERN: waits for a note, fifteen seconds at most.
noted() {
    for ((i = 0; i < 150; i++)); do
        if grep -q "$1" notes; then return; fi
        sleep 0.1
    done
    return 1
}
# get SECONDS LIMIT: the answer of a task that takes so long, or `nothing`.
get() { curl --silent --max-time "$2" "http://127.0.0.1:18411/$1" || echo nothing; }
start() {
    : >notes
    venv/bin/gunicorn --no-control-socket --bind 127.0.0.1:18411 --worker-class gthread --threads 8 \
        --dirty-app tasks:Tasks --dirty-workers 1 "$@" web:app >gunicorn.log 2>&1 &
    server=$!
    noted '^init'
    until [[ $(get '' 1) == 'no task' ]]; do sleep 0.1; done
}
# Stops it, and prints the code.
stop() {
    local code=0
    kill -TERM "$server"
    wait "$server" || code=$?
    server=
    printf '%d' "$code"
}
check() {
    printf '%-18s %s\n' "$1:" "$2"
    [[ $2 == "$3" ]]
}

touch no-database
start
task=$(get 0.1 4)
seen="$(get '' 1), task: $task"
if (($(grep -c '^init' notes) > 100)); then seen+=', more than a hundred attempts'; fi
check 'failed init' "$seen" 'no task, task: nothing, more than a hundred attempts'
rm no-database
stop >code

start
get 3 10 >answer &
asked=$!
noted '^begins 3'
begin=$SECONDS
stop >code
wait "$asked"
seen="$(<answer), left with $(<code)"
if ((SECONDS - begin > 2)); then seen+=', late'; fi
if grep -q '^done' notes; then seen+=', done'; fi
check SIGTERM "$seen" 'DirtyProtocolError, left with 0'

start --dirty-timeout 2
seen="$(get 30 10), then $(get 0.1 10), $(get 0.1 10)"
# One of the later ones may be told of by the worker, as an error of the application.
seen="${seen//DirtyAppError/DirtyTimeoutError}, $(grep -c '^init' notes) worker"
check 'task too long' "$seen" 'DirtyTimeoutError, then DirtyTimeoutError, DirtyTimeoutError, 1 worker'
stop >code

start
first=$(sed -n 's/^init //p' notes)
cp second.py tasks.py
kill -HUP "$server"
noted '^close'
seen="$(get 0.1 5), $(get 0.1 5), closed: "
if grep -qx "close $first" notes; then seen+='the old one'; else seen+='the new one'; fi
check SIGHUP "$seen" 'first, first, closed: the new one'
stop >code
cp first.py tasks.py

start
get 0.1 5 >answer
get 30 40 >answer &
asked=$!
noted '^begins 30'
kill -KILL "$(sed -n 's/^init //p' notes)"
wait "$asked"
until (($(grep -c '^init' notes) == 2)); do sleep 0.1; done
check 'worker killed' "$(<answer), then $(get 0.1 5), $(get 0.1 5)" 'DirtyWorkerError, then first, first'
stop >code

start
get 0.1 5 >answer
old=$(sed -n 's/^init //p' notes)
kill -KILL "$(ps -o ppid= "$old" | tr -d ' ')"
until (($(grep -c '^init' notes) == 2)); do sleep 0.1; done
sleep 1
seen="$(get 0.1 5), $(get 0.1 5), $(get 0.1 5)"
stop >code
sleep 2
seen+=", left with $(<code)"
if kill -0 "$old"; then seen+=', the old worker lives'; fi
check 'arbiter killed' "$seen" 'DirtyConnectionError, nothing, nothing, left with 0, the old worker lives'
# failed init:       no task, task: nothing, more than a hundred attempts
# SIGTERM:           DirtyProtocolError, left with 0
# task too long:     DirtyTimeoutError, then DirtyTimeoutError, DirtyTimeoutError, 1 worker
# SIGHUP:            first, first, closed: the new one
# worker killed:     DirtyWorkerError, then first, first
# arbiter killed:    DirtyConnectionError, nothing, nothing, left with 0, the old worker lives
