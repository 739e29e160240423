#!/usr/bin/env bash
# Inits for containers whose program cannot be run, for it is not there or not executable: tini 0.19.0-1+b3, dumb-init 1.2.5-2 and
# catatonit 0.1.7-1+b2 (Debian 12).
#
# Guessed: each leaves as a shell does, with 127 where the program is not there, and 126 where it is not executable.
# Seen: tini does. dumb-init leaves with 2 and catatonit with 1, in both cases.
# A code of the program itself is handed on by each, and may be 1 or 2 as well: what stands above cannot tell a mistake in the name,
# which no restart mends, from a failure of the program.
# Who treats 126 and 127 as final (`RestartPreventExitStatus`, a supervisor that gives up) runs the program without them, or by tini.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq tini=0.19.0-1+b3 dumb-init=1.2.5-2 catatonit=0.1.7-1+b2 2>apt.log
for package in *.deb; do dpkg-deb --extract "$package" root; done
printf 'no program\n' >not-executable

# leaves CODE COMMAND…
leaves() {
    local code=0
    "${@:2}" >log 2>&1 </dev/null || code=$?
    printf '%-34s %d\n' "$(basename "$2") ${*: -1}:" "$code"
    ((code == $1))
}
# The shell, to compare.
leaves 127 bash -c 'exec "$0"' ./missing
leaves 126 bash -c 'exec "$0"' ./not-executable
leaves 127 root/usr/bin/tini -s -- ./missing
leaves 126 root/usr/bin/tini -s -- ./not-executable
leaves 2 root/usr/bin/dumb-init -- ./missing
leaves 2 root/usr/bin/dumb-init -- ./not-executable
leaves 1 root/usr/bin/catatonit -- ./missing
leaves 1 root/usr/bin/catatonit -- ./not-executable
# A code of the program itself is handed on by each.
for init in 'tini -s' dumb-init catatonit; do
    # shellcheck disable=SC2086
    leaves 127 root/usr/bin/$init -- sh -c 'exit 127'
done
# bash ./missing:                    127
# bash ./not-executable:             126
# tini ./missing:                    127
# tini ./not-executable:             126
# dumb-init ./missing:               2
# dumb-init ./not-executable:        2
# catatonit ./missing:               1
# catatonit ./not-executable:        1
# tini exit 127:                     127
# dumb-init exit 127:                127
# catatonit exit 127:                127
