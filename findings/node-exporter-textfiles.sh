#!/usr/bin/env bash
# prometheus-node-exporter 1.5.0-1+b6 (Debian 12) with the files of two jobs in the folder of its textfile collector, by which jobs that
# do not live long enough for a scrape hand on their numbers. Both files have the same series, or the same metric with another HELP or
# another TYPE, as two versions of a job have that write beside each other; or one has no line end at its end.
#
# Guessed: where both have the same series the page as a whole fails (500). Where the HELP differs the second file is left out, or an
# error is counted. A file without its last line end is read all the same. No guess was written down for the TYPE.
# Seen:
# - The same series, another HELP, another TYPE: 200, and what the second file (by name) says of the metric is not there.
#   `node_textfile_scrape_error` is 0 and `node_scrape_collector_success` is 1. It is told on stderr, and a scrape later by
#   `promhttp_metric_handler_errors_total{cause="gathering"}`.
# - Without the last line end the whole file is left out, with `node_textfile_scrape_error` 1: a shell's `printf` is enough.
# So the number of one job stands for that of the other, and the alert that is made for it, on `node_textfile_scrape_error`, is silent.
# Give each job a label of its own, and watch `rate(promhttp_metric_handler_errors_total[5m])` as well.

set -euo pipefail
folder=$(mktemp -d)
exporter=
trap '[[ -z $exporter ]] || kill "$exporter" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq prometheus-node-exporter=1.5.0-1+b6 2>apt.log
dpkg-deb --extract ./*.deb root
mkdir files
root/usr/bin/prometheus-node-exporter --collector.disable-defaults --collector.textfile \
    --collector.textfile.directory="$folder/files" --web.listen-address=127.0.0.1:18261 2>log &
exporter=$!
until curl --silent --fail --output /dev/null http://127.0.0.1:18261/metrics; do sleep 0.1; done

value() { sed -n "s/^$1 //p" page; }

# check WHAT TEXT OF_B ERROR: with that text in the second file it has that effect, and the first one is read.
check() {
    local b error
    printf '%b' "$2" >files/b.prom
    [[ $(curl --silent --output page --write-out '%{http_code}' http://127.0.0.1:18261/metrics) == 200 ]]
    b=$(value 'jobs_done_total{job="b"}')
    error=$(value node_textfile_scrape_error)
    printf '%-21s a %s, b %s, scrape_error %s\n' "$1:" "$(value 'jobs_done_total{job="a"}')" "${b:-none}" "$error"
    [[ $(value 'jobs_done_total{job="a"}') == 1 && $b == "$3" && $error == "$4" ]]
}
gathering() { value 'promhttp_metric_handler_errors_total{cause="gathering"}'; }

head='# HELP jobs_done_total Jobs.\n# TYPE jobs_done_total counter\n'
printf '%b' "${head}jobs_done_total{job=\"a\"} 1\n" >files/a.prom
check 'another label' "${head}jobs_done_total{job=\"b\"} 2\n" 2 0
[[ $(gathering) == 0 ]]
check 'the same series' "${head}jobs_done_total{job=\"a\"} 5\n" '' 0
check 'another HELP' "${head/Jobs/All jobs}jobs_done_total{job=\"b\"} 2\n" '' 0
check 'another TYPE' "${head/counter/gauge}jobs_done_total{job=\"b\"} 2\n" '' 0
check 'no last line end' "${head}jobs_done_total{job=\"b\"} 2" '' 1
printf 'failed to gather: %s\n' "$(gathering)"
[[ $(gathering) == 3 ]]
# another label:        a 1, b 2, scrape_error 0
# the same series:      a 1, b none, scrape_error 0
# another HELP:         a 1, b none, scrape_error 0
# another TYPE:         a 1, b none, scrape_error 0
# no last line end:     a 1, b none, scrape_error 1
# failed to gather: 3
