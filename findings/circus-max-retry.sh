#!/usr/bin/env bash
# circus 0.19.0 (PyPI), a process manager: what `max_retry` limits. Its documentation: "The number of times we attempt to start
# a process, before we abandon and stop the whole watcher. Defaults to 5."
#
# Guessed: a program that begins and leaves with 1 at once is given up after `max_retry` attempts, and its watcher is shown as
# stopped.
# Seen:
# - A command that does not exist is given up after three attempts, and its watcher is `stopped`.
# - A program that can be executed is never given up, however often it leaves with 1: with `max_retry = 3` it has begun ten
#   times and goes on. `circusctl status` shows its watcher as `active` and leaves with 0.
# - It is begun again at each `check_delay` (0.3 s here), the tenth time like the first: no wait grows.
# So neither the limit nor the status sees a program that never gets far. Whoever wants to be told asks the program itself (a
# port, a heartbeat) and not the manager; and a program under it paces its own attempts, since nothing above it waits longer
# each time.

set -euo pipefail
folder=$(mktemp -d)
manager=
trap '[[ -z $manager ]] || kill -TERM "$manager" 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'circus==0.19.0'

endpoint=tcp://127.0.0.1:18211
cat >circus.ini <<INI
[circus]
endpoint = $endpoint
pubsub_endpoint = tcp://127.0.0.1:18212
check_delay = 0.3

[watcher:missing]
cmd = $folder/missing
max_retry = 3

[watcher:dying]
cmd = sh dying.sh
max_retry = 3
INI
printf 'echo begun >>begun\nexit 1\n' >dying.sh
touch begun

venv/bin/circusd circus.ini >circus.log 2>&1 &
manager=$!
until [[ -s begun ]]; do sleep 0.1; done
begin=$SECONDS
until (($(wc -l <begun) >= 10)); do sleep 0.1; done
# With a wait that doubled the tenth attempt would be two and a half minutes after the first.
((SECONDS - begin < 60))
status=$(venv/bin/circusctl --endpoint "$endpoint" --timeout 20 status)
attempts=$(grep -c "error in 'missing'" circus.log)
printf '%s\nmissing: %d attempts\ndying: ten attempts and more\n' "$status" "$attempts"
kill -TERM "$manager"
wait "$manager" || true
manager=

grep -qx 'missing: stopped' <<<"$status"
grep -qx 'dying: active' <<<"$status"
((attempts == 3))
# dying: active
# missing: stopped
# missing: 3 attempts
# dying: ten attempts and more
