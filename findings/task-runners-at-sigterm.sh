#!/usr/bin/env bash
# Runners of a project's tasks at a SIGTERM, with a task that runs a server: hatch 1.18.2, poethepoet 0.49.0 (`poe`), just 1.59.0
# (rust-just), Task 3.54.0 (go-task-bin), uv 0.13.8 (PyPI), pnpm 12.4.2, bun 1.4.4 (npm), on Debian 12, whose
# `sh` is dash. The program takes two seconds to stop at SIGTERM or SIGINT and leaves with 0. Only the runner is told, as `docker stop`
# and a service manager that knows the main process alone do. The manual of just: on SIGTERM it "will forward SIGTERM to any running
# children", to "avoid leaving behind running child processes".
#
# Guessed: each hands SIGTERM on once, waits for the program, and leaves with 0 or 143; hatch takes its place by exec.
# Seen: uv and bun hand it on, wait, and leave with 0. The others:
# - hatch, pnpm and just leave at once with 143, and the program, which runs below a shell, goes on. just tells that shell alone. With
#   `exec` before the command of its recipe it is as guessed (143).
# - Task logs "Signal received" and that is all: it tells nobody and does not end. A third SIGTERM ends it with 1, and the program goes on.
# - poe sends SIGINT, more than once, then SIGKILL within two seconds, and leaves with 137.
# So a program below one of these five is cut off, or goes on and keeps its port. Let the command of a service or of a container be the
# program itself, or run it by one of these two; write `exec` in a recipe. What runs a program through a shell tells the group, or the program.

set -euo pipefail
folder=$(mktemp -d)
runner=
trap '[[ -z $runner ]] || kill -KILL "$runner" "$(cat pid)" 2>/dev/null || true; wait 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder PYTHONDONTWRITEBYTECODE=1 DO_NOT_TRACK=1
npm install --silent --no-audit --no-fund --prefix tools pnpm@12.4.2 bun@1.4.4 &
python3 -m venv venv
venv/bin/pip install --quiet 'hatch==1.18.2' 'poethepoet==0.49.0' 'rust-just==1.59.0' 'go-task-bin==3.54.0' 'uv==0.13.8'
wait $!
export PATH="$folder/venv/bin:$folder/tools/node_modules/.bin:$PATH"

cat >program.py <<'PYTHON'
import os, signal, threading

told = threading.Event()

def stop(number, frame):
    with open("told", "a") as file:
        file.write(signal.Signals(number).name + "\n")
    told.set()

for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
    signal.signal(number, stop)
with open("pid.new", "w") as file:
    file.write(str(os.getpid()))
os.rename("pid.new", "pid")
while not told.wait(0.1):
    pass
end = threading.Event()
end.wait(2)
open("stopped", "w").close()
PYTHON
cat >pyproject.toml <<'TOML'
[project]
name = "program"
version = "1"
requires-python = ">=3.9"
[tool.hatch.envs.default]
skip-install = true
scripts = { serve = "python3 program.py" }
[tool.poe.tasks]
serve = "python3 program.py"
TOML
cat >justfile <<'JUST'
serve:
    python3 program.py
serve-exec:
    exec python3 program.py
JUST
cat >Taskfile.yml <<'YAML'
version: "3"
tasks:
  serve: python3 program.py
YAML
echo '{ "name": "program", "version": "1.0.0", "private": true, "scripts": { "serve": "python3 program.py" } }' >package.json

# gone PID SECONDS: waits until a process has ended.
gone() {
    for ((i = 0; i < 10 * $2; i++)); do
        if ! kill -0 "$1" 2>/dev/null; then return; fi
        sleep 0.1
    done
    return 1
}

# check NAME SIGNALS EXPECTED COMMAND…: how the runner leaves, what the program was told, and what has become of it.
check() {
    local code=0 seen
    rm -f pid told stopped
    env --default-signal "${@:4}" >runner.log 2>&1 </dev/null &
    runner=$!
    until [[ -e pid ]]; do
        kill -0 "$runner"
        sleep 0.1
    done
    sleep 0.5
    for ((signal = 1; signal <= $2; signal++)); do
        kill -TERM "$runner"
        sleep 0.3
    done
    if gone "$runner" 5; then
        wait "$runner" 2>/dev/null || code=$?
        seen="leaves with $code"
    else
        seen=stays
    fi
    seen+=", program told $(sort -u told 2>/dev/null || echo nothing) and"
    # One that was told has ended by now, or does so within its two seconds.
    if ! gone "$(<pid)" 3; then
        seen+=' goes on'
    elif [[ -e stopped ]]; then
        seen+=' stopped'
    else
        seen+=' killed'
    fi
    kill -KILL "$runner" "$(<pid)" 2>/dev/null || true
    wait 2>/dev/null || true
    runner=
    printf '%-10s %d SIGTERM: %s\n' "$1" "$2" "$seen"
    [[ $seen == "$3" ]]
}

stopped='program told SIGTERM and stopped'
runs_on='program told nothing and goes on'
check uv 1 "leaves with 0, $stopped" uv run --no-project python3 program.py
check bun 1 "leaves with 0, $stopped" bun run serve
check hatch 1 "leaves with 143, $runs_on" hatch run serve
check pnpm 1 "leaves with 143, $runs_on" pnpm run serve
check just 1 "leaves with 143, $runs_on" just serve
check just,exec 1 "leaves with 143, $stopped" just serve-exec
check Task 1 "stays, $runs_on" task serve
check Task 3 "leaves with 1, $runs_on" task serve
check poe 1 'leaves with 137, program told SIGINT and killed' poe serve
