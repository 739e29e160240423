#!/usr/bin/env bash
# start-stop-daemon of dpkg 1.21.23 (Debian 12), which scripts of an init start services with: `--background --notify-await`, that is to
# wait until the program says READY=1, with `--notify-timeout 4`, where 60 is what it is unless told. The program says READY=1 after a
# second; or ERRNO=5 after a second; or it dies with 7 before it is ready; or it never says anything. Its manual: "When the timeout is
# reached, start-stop-daemon will exit with an error code, and no readiness notification will be awaited".
#
# Guessed: READY=1 and ERRNO=5 are heard at once. One that dies fails the start at once, too. One that is not ready in time is ended.
# Seen:
# - READY=1 and ERRNO=5 are as guessed: 0 and 2.
# - One that dies: the start fails, with 2, when all of the time is over and not before.
# - One that is never ready: the start fails, with 2, and the program lives on. The same start again with `--oknodo`, as in most
#   scripts, finds it and leaves with 0 at once.
# So a mistake in a configuration costs a minute of the boot for each service that has it, and what has failed to start counts as started
# at the second attempt. After a start that failed stop it (`--stop --retry`) before the next one, keep the time near what a start takes,
# and let a program that cannot start say ERRNO. What waits for a program waits for its end as well.

set -euo pipefail
folder=$(mktemp -d)
end() { for file in "$folder"/*.pid; do { [[ ! -e $file ]] || kill -KILL "$(<"$file")"; } 2>/dev/null || true; done; }
trap 'end; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq dpkg=1.21.23 2>apt.log
dpkg-deb --extract dpkg_*.deb root

cat >program.py <<'PYTHON'
import os, socket, sys, time

def say(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.sendto(text, os.environ["NOTIFY_SOCKET"])

kind = sys.argv[1]
time.sleep(1)
if kind == "dies":
    sys.exit(7)
if kind == "says-errno":
    say(b"ERRNO=5")
    sys.exit(7)
if kind == "ready":
    say(b"READY=1")
time.sleep(600)
PYTHON
python=$(python3 -c 'import sys; print(sys.executable)')

# start KIND EXPECTED OPTION…: the code, the seconds, and whether the program is there.
start() {
    local code=0 begin seen
    begin=$(date +%s%3N)
    root/sbin/start-stop-daemon --start --background --make-pidfile --pidfile "$folder/$1.pid" --notify-await --notify-timeout 4 "${@:3}" \
        --startas "$python" -- "$folder/program.py" "$1" >start.log 2>&1 || code=$?
    seen="$code after $((($(date +%s%3N) - begin + 400) / 1000)) s"
    sleep 0.5
    # One that has died may be there as a zombie, where nobody reaps orphans at once.
    if [[ $(ps -o stat= -p "$(<"$1.pid")") == [!Z]* ]]; then seen+=', the program is there'; fi
    printf '%-22s %s\n' "$1${3:+ $3}:" "$seen"
    [[ $seen =~ ^$2$ ]]
}
start ready '0 after [12] s, the program is there'
start says-errno '2 after [12] s'
start dies '2 after [45] s'
start silent '2 after [45] s, the program is there'
start silent '0 after 0 s, the program is there' --oknodo
# ready:                 0 after 1 s, the program is there
# says-errno:            2 after 1 s
# dies:                  2 after 4 s
# silent:                2 after 4 s, the program is there
# silent --oknodo:       0 after 0 s, the program is there
