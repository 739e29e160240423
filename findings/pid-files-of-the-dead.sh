#!/usr/bin/env bash
# Programs of which there is to be one at a time, by a pid file: pid 3.0.4 ("Pidfile featuring stale detection and file-locking"),
# python-pidfile 3.1.1, and tendo 0.3.0, which has a lock file (PyPI). The holder was killed (SIGKILL), its file is still there, and
# its number belongs to somebody else by now: to another program (`sleep`), or to the very program that looks at the file, as in a
# container, where it gets the same number at each start and the file is on a volume.
#
# Guessed: with the number of another program pid starts, since nobody holds the lock, and python-pidfile refuses, since the number is
# alive. No guess was written down for tendo, and for the program's own number.
# Seen:
# - The number of another program: pid refuses for as long as that lives, although it has just got the lock. python-pidfile starts.
# - The program's own number: pid and python-pidfile refuse, at each start again, until somebody removes the file.
# - tendo, which looks at nothing but its lock, starts each time. So does each of them where the number is nobody's.
# So a container that was killed never starts again, with a program that works and an error that says it is running. Keep a pid file
# where it goes with the processes, as on a tmpfs of the container, or lock a file and look at nothing else.

set -euo pipefail
folder=$(mktemp -d)
other=
trap '[[ -z $other ]] || kill "$other" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'pid==3.0.4' 'python-pidfile==3.1.1' 'tendo==0.3.0'

cat >one.py <<'PYTHON'
import os
import sys
import time

library, mode = sys.argv[1:]
try:
    if library == "pid":
        from pid import PidFile
        held = PidFile("file", piddir=".")
        held.create()
    elif library == "python-pidfile":
        import pidfile
        held = pidfile.PIDFile("file.pid")
        held.__enter__()
    else:
        from tendo.singleton import SingleInstance
        held = SingleInstance(lockfile="file.pid")
except (Exception, SystemExit) as error:
    print("refused:", type(error).__name__)
    os._exit(1)
print("starts", flush=True)
if mode == "hold":
    time.sleep(600)
# Like a kill: nothing is cleaned up.
os._exit(0)
PYTHON

sleep 600 &
other=$!

# try LIBRARY NUMBER EXPECTED: starts with a file of that number, `own` for that of the program itself.
try() {
    local said
    # The shell writes its number, and is replaced by the program.
    said=$(NUMBER=$2 bash -c '
        [[ $NUMBER != own ]] || NUMBER=$$
        echo "$NUMBER" >file.pid
        exec venv/bin/python one.py "$0" try' "$1" 2>/dev/null) || true
    printf '%-15s %-22s %s\n' "$1," "${4:-number of nobody}:" "$said"
    [[ $said == "$3" ]]
    rm -f file.pid
}

for library in pid python-pidfile tendo; do
    # One that holds it is respected, and one that was killed is not in the way.
    venv/bin/python one.py "$library" hold >held &
    holder=$!
    until [[ -s held ]]; do sleep 0.1; done
    ! venv/bin/python one.py "$library" try >refused 2>/dev/null
    kill -KILL "$holder"
    wait "$holder" 2>/dev/null || true
    [[ $(venv/bin/python one.py "$library" try) == starts ]]
    rm -f file.pid held
done
try pid "$other" 'refused: PidFileAlreadyRunningError' 'number of another'
try pid own 'refused: PidFileAlreadyRunningError' 'own number'
try python-pidfile "$other" starts 'number of another'
try python-pidfile own 'refused: AlreadyRunningError' 'own number'
try tendo "$other" starts 'number of another'
try tendo own starts 'own number'
# pid,            number of another:     refused: PidFileAlreadyRunningError
# pid,            own number:            refused: PidFileAlreadyRunningError
# python-pidfile, number of another:     starts
# python-pidfile, own number:            refused: AlreadyRunningError
# tendo,          number of another:     starts
# tendo,          own number:            starts
