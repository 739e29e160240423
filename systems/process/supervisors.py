"""What startstop-run costs beside supervisord, in one run: supervisors.py STARTSTOP_RUN [SECONDS]

It starts each of them with 10 and with 100 children that sleep, and prints a table: the time until all run, the
resident memory of the supervisor itself, the processor time that it takes while nothing happens, and the time from the
death of a child to the next one in its place.
"""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

FEW, MANY = 10, 100
# In MB, with a few children.
MOST = 8
DEATHS = 20


def startstop(program, folder, count):
    """One entry with `count` instances, restarted always, with a log file each."""
    path = f"{folder}/app.toml"
    with open(path, "w") as file:
        file.write(
            f"[process.c]\ncommand = ['sleep', '100000']\ninstances = {count}\nrestart = 'always'\n"
            f"log = {{ file = '{folder}/{{name}}.log' }}\n"
        )
    return [program, path]


def supervisord(program, folder, count):
    """The same for supervisord, with what it does by default otherwise."""
    path = f"{folder}/supervisord.conf"
    with open(path, "w") as file:
        file.write(
            f"[supervisord]\nnodaemon=true\nuser=root\nlogfile={folder}/supervisord.log\npidfile={folder}/pid\n"
            f"childlogdir={folder}\nminfds=2048\n"
            f"[program:c]\ncommand=sleep 100000\nnumprocs={count}\n"
            "process_name=%(program_name)s-%(process_num)s\nautorestart=true\n"
        )
    return [program, "-c", path]


def children(pid):
    """The children that have become what they are to be."""
    found = set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found.update(map(int, file.read().split()))
        except FileNotFoundError:
            pass
    return {child for child in found if is_sleep(child)}


def is_sleep(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            return name == "sleep" and rest.split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def memory(pid):
    """Resident, in kB."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def processor(pid):
    """Seconds on a processor so far, of all its threads."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
        except FileNotFoundError:
            pass
    return total / 1e9


class Supervisor:
    def __init__(self, make, program, count):
        self.folder = tempfile.mkdtemp()
        command = make(program, self.folder, count)
        begin = time.monotonic()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        while len(children(self.pid)) < count:
            time.sleep(0.002)
            if self.process.poll() is not None:
                sys.exit(f"{command} has ended with {self.process.returncode}")
        self.started = time.monotonic() - begin

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.folder)

    def replaced_after(self):
        """Kills each of some children once, and returns the times until another one was there."""
        times = []
        for victim in sorted(children(self.pid))[:DEATHS]:
            before = children(self.pid)
            begin = time.monotonic()
            os.kill(victim, signal.SIGKILL)
            while not children(self.pid) - before:
                time.sleep(0.002)
            times.append(time.monotonic() - begin)
            time.sleep(0.1)
        return times


def measure(make, program, seconds):
    with Supervisor(make, program, FEW) as few:
        time.sleep(3)
        few_memory = memory(few.pid)
    with Supervisor(make, program, MANY) as many:
        # By then supervisord calls its children running.
        time.sleep(3)
        many_memory = memory(many.pid)
        before = processor(many.pid)
        time.sleep(seconds)
        idle = processor(many.pid) - before
        replaced = many.replaced_after()
    return [
        (f"start of {MANY} children", many.started * 1000, "ms"),
        (f"memory with {FEW} children", few_memory / 1024, "MB"),
        (f"memory with {MANY} children", many_memory / 1024, "MB"),
        (f"processor time in {seconds} s with {MANY} children", idle * 1000, "ms"),
        ("death to restart, median", statistics.median(replaced) * 1000, "ms"),
        ("death to restart, longest", max(replaced) * 1000, "ms"),
    ]


def main():
    program = os.path.abspath(sys.argv[1])
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    ours = measure(startstop, program, seconds)
    theirs = measure(supervisord, "supervisord", seconds)
    print("| | startstop-run | supervisord | part |\n|---|---|---|---|")
    worst = 0
    for (what, our, unit), (_, their, _) in zip(ours, theirs):
        worst = max(worst, our / their)
        print(f"| {what} | {our:.1f} {unit} | {their:.1f} {unit} | {100 * our / their:.1f} % |")
    if worst > 0.5:
        sys.exit("more than half of what supervisord takes")
    _, few, _ = ours[1]
    if few >= MOST:
        sys.exit(f"{few:.1f} MB with {FEW} children, which is to be less than {MOST}")


main()
