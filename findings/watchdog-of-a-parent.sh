#!/usr/bin/env bash
# A supervisor under a service manager with a watchdog, and a child that speaks to the manager by a library: aiomisc 18.0.37,
# async-sdnotify 0.1.0.post1 and systemd-watchdog 1.0.1 (PyPI), beneath honcho 2.0.0 (PyPI), and libsystemd itself. The manager here is
# a socket, and names honcho in `WATCHDOG_PID`. By sd_watchdog_enabled(3) there is no watchdog for a process of another id: the variables
# were then set for one further up.
#
# Guessed: honcho hands its environment down. The libraries see that the watchdog is not theirs, and send no `WATCHDOG=1`.
# Seen: honcho hands it down, and all three send it.
# - aiomisc (`SDWatchdogService`) and async-sdnotify do not look at `WATCHDOG_PID`.
# - systemd-watchdog looks at it, takes a day for the time, and says that it is enabled; `notify()` sends.
# - libsystemd says that there is no watchdog.
# - So a manager that listens to children (`NotifyAccess=all`) hears that all is well while honcho is stopped and looks after nobody.
# Remove `NOTIFY_SOCKET` and `WATCHDOG_USEC` from the environment of children, or leave `NotifyAccess=main`.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet honcho==2.0.0 aiomisc==18.0.37 async-sdnotify==0.1.0.post1 systemd-watchdog==1.0.1

cat >of_aiomisc.py <<'PY'
import asyncio
from aiomisc import entrypoint
from aiomisc.service.sdwatchdog import SDWatchdogService
with entrypoint(SDWatchdogService()) as loop:
    loop.run_until_complete(asyncio.sleep(60))
PY
cat >of_async_sdnotify.py <<'PY'
import asyncio
from aiosdnotify import SystemdNotifier
async def main():
    async with SystemdNotifier(watchdog=True) as notifier:
        notifier.ready()
        await asyncio.sleep(60)
asyncio.run(main())
PY
cat >of_systemd_watchdog.py <<'PY'
import time, systemd_watchdog
watchdog = systemd_watchdog.WatchDog()
watchdog.ready()
print("enabled:", watchdog.is_enabled, "hours:", watchdog.timeout_td.total_seconds() / 3600, flush=True)
while True:
    watchdog.notify()
    time.sleep(0.2)
PY
cat >of_libsystemd.py <<'PY'
import ctypes, time
systemd, micros = ctypes.CDLL("libsystemd.so.0"), ctypes.c_uint64()
print("enabled:", systemd.sd_watchdog_enabled(0, ctypes.byref(micros)), flush=True)
systemd.sd_notify(0, b"READY=1")
while True:
    if systemd.sd_watchdog_enabled(0, ctypes.byref(micros)) > 0:
        systemd.sd_notify(0, b"WATCHDOG=1")
    time.sleep(0.2)
PY

cat >manager.py <<'PY'
import os, pathlib, signal, socket, subprocess, sys, time

name = sys.argv[1]
place = os.path.abspath(name + ".socket")
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.bind(place)
heard.settimeout(1.5)
pathlib.Path(name + ".procfile").write_text(f"child: exec venv/bin/python of_{name}.py\n")
# The shell tells its own id, and becomes honcho.
begin = 'export WATCHDOG_PID=$$; exec venv/bin/honcho -f "$1" start'
env = dict(os.environ, NOTIFY_SOCKET=place, WATCHDOG_USEC="1000000")
honcho = subprocess.Popen(["sh", "-c", begin, "sh", name + ".procfile"], env=env, start_new_session=True)

def watchdogs(seconds):
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        try:
            count += b"WATCHDOG=1" in heard.recv(4096).splitlines()
        except TimeoutError:
            pass
    return count

# The first message may take long on a busy machine.
heard.settimeout(30)
first = heard.recv(4096)
heard.settimeout(1.5)
honcho.send_signal(signal.SIGSTOP)
watchdogs(1)
count = watchdogs(5)
honcho.send_signal(signal.SIGCONT)
honcho.send_signal(signal.SIGTERM)
honcho.wait()
print(f"{name}: the watchdog of a supervisor that is stopped is {'fed' if count >= 3 else 'not fed' if count == 0 else count}")
PY
for name in aiomisc async_sdnotify systemd_watchdog libsystemd; do
    python3 manager.py "$name" 2>errors >output || { cat errors output; exit 1; }
    grep -o 'enabled:.*' output | tee -a seen || true
    grep '^[a-z_]*: the watchdog' output | tee -a seen
done
diff seen - <<'SEEN'
aiomisc: the watchdog of a supervisor that is stopped is fed
async_sdnotify: the watchdog of a supervisor that is stopped is fed
enabled: True hours: 24.0
systemd_watchdog: the watchdog of a supervisor that is stopped is fed
enabled: 0
libsystemd: the watchdog of a supervisor that is stopped is not fed
SEEN
