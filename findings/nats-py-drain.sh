#!/usr/bin/env bash
# nats-py 2.16.0 (PyPI) with nats-server 2.9.10-1+b3 (Debian 12): a worker whose callback takes two seconds has one message in work and two
# behind it, and ends by `drain()`, by which a worker of NATS stops in order. Its `drain_timeout`, thirty seconds unless told, is longer
# than the work, or a second; or it is two seconds and the server is frozen (SIGSTOP, as a virtual machine that is moved is), with messages
# and without one.
#
# Guessed: with enough time `drain()` returns when all three are done. With a second it raises an error after that. With a frozen server it
# ends after `drain_timeout`, by whatever error.
# Seen:
# - Enough time: as guessed.
# - A second: it returns after that, without an error, and the connection is closed. The message in work is cut off, and the other two are
#   not begun. Core NATS delivers none of them again. `error_cb` alone is told (`DrainTimeoutError`).
# - A frozen server: it raises `FlushTimeoutError` after twelve seconds, ten more than `drain_timeout`, without a message too, and the
#   connection is not closed: `close()` has to follow.
# So a worker that leaves with 0 when `drain()` has returned may have lost what it had, and one whose server hangs takes, by the defaults,
# thirty seconds and ten, which is more than most managers grant. Let `error_cb` remember that a drain was cut short, and put a limit
# around `drain()` and `close()` together. What takes a limit keeps to it as a whole, and says by its result whether it got through.

set -euo pipefail
folder=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -KILL "$server" 2>/dev/null || true; { wait; } 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'nats-py==2.16.0'
apt-get download -qq nats-server=2.9.10-1+b3 2>apt.log
dpkg-deb --extract nats-server_*.deb root
root/usr/sbin/nats-server -a 127.0.0.1 -p 18471 >server.log 2>&1 &
server=$!
until grep -q 'Server is ready' server.log; do sleep 0.1; done

cat >worker.py <<'PYTHON'
import asyncio, os, signal, sys, time
import nats

server, timeout, frozen, messages = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "frozen", int(sys.argv[4])
begun, done, told = [], [], []

async def work(message):
    begun.append(message)
    await asyncio.sleep(2)
    done.append(message)

async def error(failure):
    told.append(type(failure).__name__)

async def main():
    client = await nats.connect("nats://127.0.0.1:18471", error_cb=error, drain_timeout=timeout)
    await client.subscribe("jobs", cb=work)
    for _ in range(messages):
        await client.publish("jobs", b"")
    await client.flush()
    await asyncio.sleep(0.5)
    if frozen:
        os.kill(server, signal.SIGSTOP)
    began = time.monotonic()
    try:
        await client.drain()
        result = "returns"
    except Exception as failure:
        result = f"raises {type(failure).__name__}"
    took = round(time.monotonic() - began)
    closed = "closed" if client.is_closed else "not closed"
    if frozen:
        os.kill(server, signal.SIGCONT)
    else:
        # Nothing goes on after it has returned.
        await asyncio.sleep(3)
    print(f"{result} after {took} s, {closed}, begun {len(begun)}, done {len(done)}, told {' '.join(told) or 'nothing'}", flush=True)
    os._exit(0)

asyncio.run(main())
PYTHON
# check WHAT EXPECTED ARGUMENT…
check() {
    local seen
    seen=$(venv/bin/python worker.py "$server" "${@:3}" 2>>worker.log)
    printf '%-22s %s\n' "$1:" "$seen"
    [[ $seen =~ ^$2$ ]]
}
check 'enough time' 'returns after [56] s, closed, begun 3, done 3, told nothing' 30 well 3
check 'a second' 'returns after [12] s, closed, begun 1, done 0, told DrainTimeoutError' 1 well 3
check 'frozen' 'raises FlushTimeoutError after 1[23] s, not closed, begun 3, done 3, told DrainTimeoutError' 2 frozen 3
check 'frozen, no message' 'raises FlushTimeoutError after 1[23] s, not closed, begun 0, done 0, told DrainTimeoutError' 2 frozen 0
# enough time:           returns after 6 s, closed, begun 3, done 3, told nothing
# a second:              returns after 1 s, closed, begun 1, done 0, told DrainTimeoutError
# frozen:                raises FlushTimeoutError after 12 s, not closed, begun 3, done 3, told DrainTimeoutError
# frozen, no message:    raises FlushTimeoutError after 12 s, not closed, begun 0, done 0, told DrainTimeoutError
