#!/usr/bin/env bash
# pm2-runtime of pm2 7.0.4 (npm) on node 20, the command of a container that pm2 describes as "a drop-in replacement for the node binary":
# a program that ends by itself after 0.3 s, with 0 as a job that is done, or with 7.
#
# Guessed: with `--no-autorestart` pm2-runtime leaves with 7 where the program does. No guess was written down for a program that
# leaves with 0.
# Seen: with `--no-autorestart` it leaves with 2, whether the program has left with 0 or with 7, some three seconds after it. So it did
# without the option, when the program had been begun 16 times; but with 0 in one of seven tries.
# So a job under `--no-autorestart` has failed for whoever looks at the code, a `Job` of Kubernetes or a restart policy `on-failure`
# among them, which run it again. Where the code matters let the manager run node itself.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent pm2@7.0.4
export PM2_HOME=$folder/home

program() {
    printf 'require("fs").appendFileSync("%s/begun", "begun\\n"); setTimeout(() => process.exit(%d), 300)\n' \
        "$folder" "$1" >"leaves-with-$1.js"
}
program 0
program 7

# check CODE BEGUN ARGUMENT…: pm2-runtime leaves with that code after the program has begun so many times.
check() {
    local code=0
    : >begun
    timeout 100 node_modules/.bin/pm2-runtime start "${@:3}" >log 2>&1 </dev/null || code=$?
    printf '%-36s begun %d, left with %d\n' "${*:3}:" "$(wc -l <begun)" "$code"
    ((code == $1 && $(wc -l <begun) == $2))
}

check 2 1 leaves-with-0.js --no-autorestart
check 2 1 leaves-with-7.js --no-autorestart
# leaves-with-0.js --no-autorestart:   begun 1, left with 2
# leaves-with-7.js --no-autorestart:   begun 1, left with 2
