#!/usr/bin/env bash
# supervise-daemon of OpenRC 0.45.2-2+deb12u1 (Debian 12), which restarts a program that ends: `--stop` while the program takes
# longer than five seconds to stop, and after the supervisor was killed. Its manual: "If this option [--retry] is not given, the
# default is SIGTERM/5".
#
# Guessed: where the program is still there after those five seconds `--stop` says so by its exit code, and the supervisor stays
# with it. Where the supervisor is gone `--stop` fails, since it has nobody to ask.
# Seen:
# - `--stop` leaves with 0 after about five seconds, in silence. The supervisor is gone, the program goes on without one.
# - The next `--start` leaves with 0 too, and the program is there twice.
# - With `--retry SIGTERM/5/SIGKILL/5` at the start the program is gone when `--stop` leaves, with 0 as well.
# - After a SIGKILL of the supervisor `--stop` leaves with 0 at once, and the program goes on.
# So a stop that says yes does not say that anything has stopped, and a restart may run two of a kind on the same files. Name a
# SIGKILL in `--retry` whatever the program is, and let the program take a lock of its own. A supervisor that gives a program up
# says so, and by a code.

set -euo pipefail
if [[ -z ${1:-} ]]; then
    # OpenRC keeps its state in /run: give it one of its own.
    exec unshare --mount --map-root-user bash "$0" apart
fi
folder=$(mktemp -d)
pids() { touch "$folder/pids" && cat "$folder/pids"; }
alive() { for pid in $(pids); do if kill -0 "$pid" 2>/dev/null; then echo "$pid"; fi; done; }
clear_up() {
    kill -KILL $(cat "$folder/supervisor" 2>/dev/null) $(alive) 2>/dev/null || true
    rm -rf "$folder"
}
trap clear_up EXIT
cd "$folder"
apt-get -o APT::Sandbox::User=root download -qq openrc=0.45.2-2+deb12u1 librc1=0.45.2-2+deb12u1 libeinfo1=0.45.2-2+deb12u1 2>apt.log
for package in *.deb; do dpkg-deb --extract "$package" root; done
LD_LIBRARY_PATH=$(dirname "$(find "$folder/root" -name 'librc.so.1')"):$(dirname "$(find "$folder/root" -name 'libeinfo.so.1')")
export LD_LIBRARY_PATH RC_SVCNAME=slow
mount -t tmpfs none /run
mkdir -p /run/openrc/{daemons,options,started}

# A program that takes twelve seconds to stop.
cat >slow.py <<'PYTHON'
import os, signal, sys, time

def stop(*_):
    time.sleep(12)
    sys.exit(0)

signal.signal(signal.SIGTERM, stop)
with open(sys.argv[1], "a") as pids:
    pids.write(f"{os.getpid()}\n")
while True:
    time.sleep(1)
PYTHON

supervise() { root/sbin/supervise-daemon slow --pidfile "$folder/supervisor" "$@"; }
# start ARGUMENT…: returns when the program has begun.
start() {
    local begun code=0
    begun=$(pids | wc -l)
    supervise --start "$@" "$(command -v python3)" -- "$folder/slow.py" "$folder/pids" || code=$?
    until (($(pids | wc -l) > begun)); do sleep 0.1; done
    printf '%-20s %d, programs: %d\n' '--start' "$code" "$(alive | wc -l)"
    seen="$code $(alive | wc -l)"
}
stop() {
    local code=0 begin=$SECONDS supervisor there=there
    supervisor=$(<supervisor)
    supervise --stop >stop.log 2>&1 || code=$?
    sleep 0.5
    kill -0 "$supervisor" 2>/dev/null || there=gone
    printf '%-20s %d after %d s, supervisor %s, programs: %d\n' '--stop' "$code" "$((SECONDS - begin))" "$there" "$(alive | wc -l)"
    seen="$code $there $(alive | wc -l)"
}
kill_all() {
    kill -KILL $(alive) 2>/dev/null || true
    until [[ -z $(alive) ]]; do sleep 0.1; done
}

start
[[ $seen == '0 1' ]]
stop
[[ $seen == '0 gone 1' && ! -s stop.log ]]
start
[[ $seen == '0 2' ]]
kill -KILL "$(<supervisor)"
kill_all

start --retry SIGTERM/5/SIGKILL/5
[[ $seen == '0 1' ]]
stop
[[ $seen == '0 gone 0' ]]

start
[[ $seen == '0 1' ]]
kill -KILL "$(<supervisor)"
sleep 0.5
begin=$SECONDS
stop
[[ $seen == '0 gone 1' ]] && ((SECONDS - begin < 3))
kill_all
# --start              0, programs: 1
# --stop               0 after 6 s, supervisor gone, programs: 1
# --start              0, programs: 2
# --start              0, programs: 1
# --stop               0 after 6 s, supervisor gone, programs: 0
# --start              0, programs: 1
# --stop               0 after 0 s, supervisor gone, programs: 1
