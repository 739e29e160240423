#!/usr/bin/env bash
# What lets a Node server finish its requests at a SIGTERM, where a second one follows 150 ms later: http-graceful-shutdown 4.0.0,
# node-graceful 3.1.0, exit-hook 5.1.0, fastify-graceful-shutdown 5.0.0, @godaddy/terminus 4.12.1, @nestjs/core 12.5.1 and
# @hapi/hapi 21.4.10 with exiting 7.0.0 (npm), on node 20; one request of a second is in flight. A second one is sent by a
# service manager that tells the whole control group when something in it forwards the signal too, or when the shell in front has
# ended; and GNU timeout sends it to its child and then to its own group.
#
# Guessed: http-graceful-shutdown, node-graceful, exit-hook and fastify-graceful-shutdown, whose documents know one stop that begins
# and waits, take the second as the same request, and NestJS dies of it.
# Seen:
# - Of one SIGTERM all of them answer what is in flight.
# - Of two, http-graceful-shutdown and node-graceful leave with 1 and exit-hook and fastify-graceful-shutdown die of the signal,
#   each at once and without the answer: to the first two it is an order to hurry, the other two have heard the first by
#   `once`. terminus, NestJS and exiting answer, and leave as they do of one.
# Behind `timeout 60` (9.1) one `kill` is enough for it: of four stops each of an idle machine, from one to three were cut off with
# those four and none with the others; on a busy machine, where Node sees both as one, none of sixty. So it is not judged here.
# Where anything forwards signals, send them to the server alone, or take what counts a repeated SIGTERM once.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix . http-graceful-shutdown@4.0.0 node-graceful@3.1.0 exit-hook@5.1.0 \
    fastify@5.12.8 fastify-graceful-shutdown@5.0.0 @godaddy/terminus@4.12.1 @hapi/hapi@21.4.10 exiting@7.0.0 \
    @nestjs/core@12.5.1 @nestjs/common@12.5.1 @nestjs/platform-express@12.5.1 reflect-metadata@0.2.2 rxjs@7.8.2

cat >server.mjs <<'JS'
import http from "node:http";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const later = () => new Promise((done) => setTimeout(() => done("answered"), 1000));
const answer = async (_, response) => response.end(await later());
const plain = (prepare) => {
    const server = http.createServer(answer);
    prepare(server, () => new Promise((done) => server.close(done)));
    server.listen(0, "127.0.0.1", () => console.log(server.address().port));
};
const servers = {
    "http-graceful-shutdown": () =>
        plain((server) => require("http-graceful-shutdown")(server, { timeout: 5000 })),
    "node-graceful": () => plain((_, close) => require("node-graceful").default.on("exit", close)),
    async "exit-hook"() {
        const { asyncExitHook } = await import("exit-hook");
        plain((_, close) => asyncExitHook(close, { wait: 5000 }));
    },
    async "fastify-graceful-shutdown"() {
        const app = require("fastify")();
        app.register(require("fastify-graceful-shutdown"), { timeout: 5000 });
        app.get("/", later);
        await app.listen({ port: 0, host: "127.0.0.1" });
        console.log(app.server.address().port);
    },
    terminus: () =>
        plain((server) =>
            require("@godaddy/terminus").createTerminus(server, { signals: ["SIGTERM"], timeout: 5000 }),
        ),
    async exiting() {
        const server = require("@hapi/hapi").server({ port: 0, host: "127.0.0.1" });
        server.route({ method: "GET", path: "/", handler: later });
        await require("exiting").createManager(server).start();
        console.log(server.info.port);
    },
    async nestjs() {
        require("reflect-metadata");
        class App {}
        require("@nestjs/common").Module({})(App);
        const app = await require("@nestjs/core").NestFactory.create(App, { logger: false });
        app.getHttpAdapter().get("/", answer);
        app.enableShutdownHooks();
        await app.listen(0, "127.0.0.1");
        console.log(app.getHttpServer().address().port);
    },
};
await servers[process.argv[2]]();
JS

cat >stops.py <<'PYTHON'
import http.client, signal, subprocess, sys, time

CUTS = {"http-graceful-shutdown": 1, "node-graceful": 1, "exit-hook": -15, "fastify-graceful-shutdown": -15}
BEARS = ["terminus", "exiting", "nestjs"]


def stop(name, again=False):
    """The answer to what is in flight, and the exit code."""
    server = subprocess.Popen(["node", "server.mjs", name], stdout=subprocess.PIPE, text=True)
    port = int(server.stdout.readline())
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("GET", "/")
    time.sleep(0.3)
    server.send_signal(signal.SIGTERM)
    if again:
        time.sleep(0.15)
        server.send_signal(signal.SIGTERM)
    try:
        answer = client.getresponse().read().decode()
    except http.client.RemoteDisconnected:
        answer = "cut off"
    client.close()
    return answer, server.wait(20)


ok = True
for name in [*CUTS, *BEARS]:
    once, twice = stop(name), stop(name, again=True)
    print(f"{name}: once {once}, twice {twice}", flush=True)
    ok &= once[0] == "answered"
    ok &= twice == (("cut off", CUTS[name]) if name in CUTS else once)
sys.exit(0 if ok else 1)
PYTHON
python3 stops.py
