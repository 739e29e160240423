#!/usr/bin/env bash
# docker-systemctl-replacement 1.7.1097 (PyPI), a `systemctl` in Python that runs the units of systemd in a container without systemd:
# its `start`, and `init UNIT…`, which is made to be the first process of a container. Here with `--user`.
#
# Guessed, as under systemd: a `Type=notify` program that never says READY=1 fails at the end of `TimeoutStartSec`, and is ended. Under
# `init` a program with `Restart=always` that crashes is started again.
# Seen:
# - Without a READY=1 `start` takes longer than the three seconds, leaves with 0, the unit is `active`, and the program goes on.
# - `init` with one unit, `Restart=always`: when the program has crashed, with 3, it is not started again. `init` ends, with 0. With a
#   second unit beside it, whose program runs on, the first one is started again and again.
# So a container whose command is `init` with one unit counts as completed when its program has crashed, and a restart policy
# `on-failure` leaves it down. Give the container the policy `always`, or the unit a companion that never ends; and let a probe tell
# that a program is up, since neither `start` nor `is-active` does. What supervises looks at the restart policy first, and counts what
# is left to do after that.

set -euo pipefail
folder=$(mktemp -d)
init=
end_all() { { kill -KILL $init $(cat "$folder/pids" 2>/dev/null); } 2>/dev/null || true; }
trap 'end_all; wait 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'docker-systemctl-replacement==1.7.1097'
mkdir -p .config/systemd/user run tmp
export HOME=$folder XDG_RUNTIME_DIR=$folder/run TMPDIR=$folder/tmp
systemctl=$(echo venv/lib/python3*/site-packages/systemctl2/systemctl3.py)
systemctl() { venv/bin/python "$systemctl" --user "$@" 2>>log; }
touch notes pids

cat >program.py <<PYTHON
import os, signal, sys, time

how = sys.argv[1]

def note(text):
    with open("$folder/notes", "a") as notes:
        notes.write(f"{how} {text}\n")

def stop(*_):
    note("stopped")
    sys.exit(0)

signal.signal(signal.SIGTERM, stop)
with open("$folder/pids", "a") as pids:
    pids.write(f"{os.getpid()}\n")
note("begins")
if how == "crashes":
    time.sleep(1)
    sys.exit(3)
for _ in range(1200):
    time.sleep(0.1)
PYTHON
# unit NAME LINES…: a unit of the name, whose program is told the name.
unit() {
    printf '%s\n' '[Service]' "${@:2}" "ExecStart=$folder/venv/bin/python $folder/program.py $1" \
        >".config/systemd/user/finding-$1.service"
}
unit silent 'Type=notify' 'TimeoutStartSec=3'
unit sound
unit crashes 'Restart=always' 'RestartSec=1'

# Waits for so many notes, twenty seconds at most.
noted() {
    for ((i = 0; i < 200; i++)); do
        if (($(grep -cx "$1" notes) >= $2)); then return; fi
        sleep 0.1
    done
    return 1
}
check() {
    printf '%s: %s\n' "$1" "$seen"
    [[ $seen == "$2" ]]
}
code_of() {
    code=0
    wait "$1" || code=$?
}

begin=$SECONDS code=0
systemctl start finding-silent.service || code=$?
((SECONDS - begin >= 3))
seen="start leaves with $code, $(systemctl is-active finding-silent.service || true)"
check 'never ready' 'start leaves with 0, active'
noted 'silent begins' 1
systemctl stop finding-silent.service
noted 'silent stopped' 1

systemctl init finding-crashes.service >log 2>&1 &
init=$!
code_of "$init"
init=
seen="begun $(grep -cx 'crashes begins' notes), init leaves with $code"
check 'crash of the one unit' 'begun 1, init leaves with 0'

: >notes
systemctl init finding-sound.service finding-crashes.service >log 2>&1 &
init=$!
noted 'crashes begins' 3
echo 'crash of one of two: begun three times'
# The process of the function is a shell: its child is the one to tell.
kill -TERM "$(pgrep -P "$init" || echo "$init")"
code_of "$init"
init=
noted 'sound stopped' 1
# never ready: start leaves with 0, active
# crash of the one unit: begun 1, init leaves with 0
# crash of one of two: begun three times
