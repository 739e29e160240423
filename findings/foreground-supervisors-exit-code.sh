#!/usr/bin/env bash
# Supervisors in the foreground, as a service manager or a container would run them, whose program fails: daemon 0.8-1+b1
# (`--foreground`), multiwatch 1.0.0-rc1+really1.0.0-1+b1, lighttpd-angel of lighttpd 1.4.69-1 (Debian 12), and zdaemon 5.2.1
# (PyPI, `fg`). The program leaves with 7; for lighttpd-angel it is lighttpd, whose port is taken (255).
#
# Guessed: daemon and zdaemon, which do not restart here, leave with the code of the program (daemon by 137 or the signal where it
# was killed, and by a failure where it does not exist). multiwatch leaves with a failure after its three retries. lighttpd-angel
# starts lighttpd again, as its manual says it does after an exit "for any reason, other than by signals sent by lighttpd-angel".
# Seen: each leaves with 0.
# - daemon: whether the program left with 7, was killed, or does not exist.
# - multiwatch: after four attempts within a moment, "died to often, not forking again".
# - zdaemon: after the program has left with 7.
# - lighttpd-angel: after one attempt. It starts lighttpd again only where that was ended by a signal.
# So to what stands above, the service completed: `Restart=on-failure` and a restart policy `on-failure` leave it down, and a job of
# `cron` or of a pipeline counts as done. Run these with `Restart=always`, or let the program be the main process. A supervisor
# that ends because its program has failed leaves with a code that is not 0.

set -euo pipefail
folder=$(mktemp -d)
holder=
trap '[[ -z $holder ]] || kill "$holder" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq daemon=0.8-1+b1 multiwatch=1.0.0-rc1+really1.0.0-1+b1 libev4=1:4.33-1 \
    lighttpd=1.4.69-1 2>apt.log
for package in *.deb; do dpkg-deb --extract "$package" root; done
LD_LIBRARY_PATH=$(dirname "$(find "$folder/root" -name 'libev.so.4')")
export LD_LIBRARY_PATH
python3 -m venv venv
venv/bin/pip install --quiet 'zdaemon==5.2.1'

printf '#!/bin/sh\necho begun >>%s/begun\nexit 7\n' "$folder" >failing
printf '#!/bin/sh\necho begun >>%s/begun\nkill -KILL $$\n' "$folder" >killed
chmod +x failing killed
cat >zdaemon.conf <<CONF
<runner>
  program $folder/failing
  directory $folder
  socket-name $folder/socket
</runner>
CONF

# check NAME BEGUN COMMAND…: the supervisor leaves with 0 after the program has begun so many times.
check() {
    local code=0
    : >begun
    "${@:3}" >log 2>&1 </dev/null || code=$?
    printf '%-28s begun %d, left with %d\n' "$1:" "$(wc -l <begun)" "$code"
    ((code == 0 && $(wc -l <begun) == $2))
}

daemon=(root/usr/bin/daemon --noconfig --unsafe --foreground --)
check 'daemon, leaves with 7' 1 "${daemon[@]}" "$folder/failing"
check 'daemon, killed' 1 "${daemon[@]}" "$folder/killed"
check 'daemon, does not exist' 0 "${daemon[@]}" "$folder/missing"
check 'multiwatch, leaves with 7' 4 root/usr/bin/multiwatch -- "$folder/failing"
check 'zdaemon, leaves with 7' 1 venv/bin/zdaemon -C zdaemon.conf fg

# A port that is taken.
python3 -c 'import socket, time
held = socket.create_server(("127.0.0.1", 18251)); open("held", "w").close(); time.sleep(600)' &
holder=$!
until [[ -e held ]]; do sleep 0.1; done
cat >lighttpd.conf <<CONF
server.document-root = "$folder"
server.bind = "127.0.0.1"
server.port = 18251
CONF
mkdir sbin
mv root/usr/sbin/lighttpd sbin/lighttpd.real
printf '#!/bin/sh\necho begun >>%s/begun\nexec %s/sbin/lighttpd.real "$@"\n' "$folder" "$folder" >sbin/lighttpd
chmod +x sbin/lighttpd
lighttpd=(-D -f lighttpd.conf -m "$folder/root/usr/lib/lighttpd")
code=0
sbin/lighttpd "${lighttpd[@]}" >log 2>&1 || code=$?
printf '%-28s left with %d\n' 'lighttpd, port taken:' "$code"
((code == 255))
# lighttpd-angel runs /usr/sbin/lighttpd: it is given a folder of that name of its own.
check 'lighttpd-angel, port taken' 1 unshare --mount --map-root-user \
    sh -c 'mount --bind sbin /usr/sbin && exec "$@"' sh root/usr/sbin/lighttpd-angel "${lighttpd[@]}"
# daemon, leaves with 7:       begun 1, left with 0
# daemon, killed:              begun 1, left with 0
# daemon, does not exist:      begun 0, left with 0
# multiwatch, leaves with 7:   begun 4, left with 0
# zdaemon, leaves with 7:      begun 1, left with 0
# lighttpd, port taken:        left with 255
# lighttpd-angel, port taken:  begun 1, left with 0
