#!/usr/bin/env python3
"""Pins each direct dependency of the published crates to the lowest version that its requirement allows.

Run in a copy of the workspace: it changes Cargo.lock. Prints what it pinned.
"""

import json
import re
import subprocess
import sys

PUBLISHED = ["startstop-core", "startstop-derive", "startstop-host", "startstop-process", "startstop-fleet"]


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], capture_output=True, text=True)


def lowest(requirement):
    """The lowest version of a requirement such as `^1.54`, `=0.1.0` or `>=1.2, <2`."""
    numbers = re.search(r"\d+(\.\d+){0,2}", requirement).group().split(".")
    return ".".join(numbers + ["0"] * (3 - len(numbers)))


def locked(name, series):
    """The version in the lock file that a requirement of this series resolves to."""
    text = open("Cargo.lock", encoding="utf-8").read()
    versions = re.findall(rf'name = "{re.escape(name)}"\nversion = "([^"]+)"', text)
    same = [version for version in versions if compatible(version, series)]
    return same[0] if same else None


def compatible(version, lowest_version):
    have, want = version.split("."), lowest_version.split(".")
    first = next((place for place, number in enumerate(want) if number != "0"), 2)
    return have[: first + 1] == want[: first + 1]


def main():
    packages = json.loads(cargo("metadata", "--no-deps", "--format-version", "1").stdout)["packages"]
    wanted = {}
    for package in packages:
        if package["name"] not in PUBLISHED:
            continue
        for dependency in package["dependencies"]:
            if dependency["source"] is None or dependency["kind"] == "dev":
                continue
            if "startstop_loom" in (dependency["target"] or ""):
                continue
            key = (dependency["name"], lowest(dependency["req"]))
            wanted.setdefault(key, set()).add(package["name"])
    # What others need newer comes down only after them: so twice.
    for last in (False, True):
        for name, version in sorted(wanted):
            current = locked(name, version)
            if current is None or current.split("+")[0] == version:
                continue
            done = cargo("update", "--precise", version, f"{name}@{current}")
            if done.returncode == 0:
                print(f"{name}: {current} -> {version}")
            elif last and "required by" in done.stderr:
                print(f"{name}: stays {current}, which another dependency asks for")
            elif last:
                sys.exit(f"{name} {version} cannot be had, although a manifest allows it:\n{done.stderr}")


main()
