#!/usr/bin/env bash
# jsvc 1.0.15-10 (Debian 12), which runs Java programs as services, with a JDK 17: jsvc in the foreground (`-nodetach`) and the JVM
# below it. The JVM is killed a second after its start (SIGKILL, as the kernel does when memory is short), then jsvc is told to
# stop.
#
# Guessed: jsvc ends with a failure when its JVM was killed, as it does when the program leaves with a code. If it starts it again
# instead, `jsvc -stop` and a SIGTERM end it before that.
# Seen:
# - It stays, without a JVM: a life of less than a minute is followed by a wait of a minute, then it starts the program again. A
#   manager that looks at the process sees a service that runs.
# - `jsvc -stop` in that minute leaves with 255 and stops nothing: it signals the JVM, which is gone.
# - A SIGTERM to jsvc in that minute ends the wait, and no more: the program is started at once, and runs. A second SIGTERM stops
#   it in order, with 0.
# - After System.exit(3) jsvc ends at once, with 1.
# So a manager that tells the main process to stop in that minute, once, starts the program instead, and kills it in the middle of
# its work when the time to stop is over. Let the JVM be the main process, or stop jsvc with two signals. A program that supervises
# others takes a stop also while it waits to start one.

set -euo pipefail
folder=$(mktemp -d)
jsvc=
trap '[[ -z $jsvc ]] || kill -KILL $(pgrep -P "$jsvc") "$jsvc" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq jsvc=1.0.15-10 libcommons-daemon-java=1.0.15-10 2>apt.log
for package in *.deb; do dpkg-deb --extract "$package" root; done
java_home=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")

cat >Program.java <<'JAVA'
import java.nio.file.*;

public class Program {
    static void note(String text) throws Exception {
        String line = ProcessHandle.current().pid() + " " + text + "\n";
        Files.writeString(Path.of(System.getenv("NOTES")), line, StandardOpenOption.APPEND);
    }
    public void init(String[] arguments) {}
    public void start() throws Exception {
        note("started");
        if (System.getenv("LEAVES") != null) {
            new Thread(() -> System.exit(3)).start();
        }
    }
    public void stop() throws Exception { note("stopped"); }
    public void destroy() {}
}
JAVA
javac Program.java
export NOTES=$folder/notes
command=(root/usr/bin/jsvc -java-home "$java_home" -cp "$folder/root/usr/share/java/commons-daemon.jar:$folder"
    -pidfile "$folder/pid" -outfile "$folder/out" -errfile "$folder/errors")
touch notes

# Waits until the programs have noted so many lines, ten seconds at most.
noted() { for ((i = 0; i < 100 && $(wc -l <notes) < $1; i++)); do sleep 0.1; done; }

# check WHAT EXPECTED: what the programs noted, and whether jsvc is there.
check() {
    local seen there=gone
    seen=$(cut -d ' ' -f 2 notes | tr '\n' ' ')
    if [[ -n $jsvc ]]; then there=there; fi
    printf '%-22s jsvc is %-6s %s\n' "$1:" "$there:" "$seen"
    [[ "$there $seen" == "$2 " ]]
}

"${command[@]}" -nodetach Program &
jsvc=$!
noted 1
sleep 1
kill -KILL "$(cut -d ' ' -f 1 notes)"
until grep -q 'killed by signal 9' errors; do sleep 0.1; done
sleep 2
kill -0 "$jsvc"
[[ -z $(pgrep -P "$jsvc") ]]
check 'after the kill' 'there started'

code=0
"${command[@]}" -stop Program || code=$?
sleep 2
kill -0 "$jsvc"
check "after -stop ($code)" 'there started'
((code == 255))

kill -TERM "$jsvc"
noted 2
sleep 2
kill -0 "$jsvc"
[[ -n $(pgrep -P "$jsvc") ]]
check 'after SIGTERM' 'there started started'

code=0
kill -TERM "$jsvc"
wait "$jsvc" || code=$?
jsvc=
check "after another ($code)" 'gone started started stopped'
((code == 0))

code=0
: >notes
LEAVES=3 "${command[@]}" -nodetach Program || code=$?
check "after exit(3) ($code)" 'gone started'
((code == 1))
# after the kill:        jsvc is there: started
# after -stop (255):     jsvc is there: started
# after SIGTERM:         jsvc is there: started started
# after another (0):     jsvc is gone:  started started stopped
# after exit(3) (1):     jsvc is gone:  started
