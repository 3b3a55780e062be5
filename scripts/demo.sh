#!/usr/bin/env bash
# The demo: a simulated org, a connector configuration as Confluent Cloud writes it, and the embedded log, in a temporary
# directory. RATE=n sets the changes a second (3); Ctrl-C ends everything.
#
#   scripts/demo.sh            the connector in the foreground, its records on the terminal (`make demo`)
#   scripts/demo.sh serve      the connector in a service, to be asked at http://127.0.0.1:PORT (8083; `make demo-service`)
set -euo pipefail
cd "$(dirname "$0")/.."
mode=${1:-run}
[ "$mode" = run ] || [ "$mode" = serve ] || { echo 'usage: scripts/demo.sh [serve]' >&2; exit 2; }

scripts/build-component.sh
# The binaries of the whole workspace in the test profile: chosen one by one, their dependencies would be compiled with
# other features, and once more by `make test`.
cargo build --workspace --bins

work=$(mktemp -d)
simulator=
service=
# shellcheck disable=SC2317,SC2329 # the trap calls it
finish() {
  trap - EXIT
  # First, so that it can say goodbye to the org.
  if [ -n "$service" ]; then
    kill "$service" 2>/dev/null || true
    wait "$service" 2>/dev/null || true
  fi
  if [ -n "$simulator" ]; then
    kill "$simulator" 2>/dev/null || true
    wait "$simulator" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT
# Ctrl-C goes to tributary as well, which then says goodbye to the org; this script waits for it.
trap : INT
trap 'exit 143' TERM

# In a process group of its own, so that Ctrl-C does not end the org before tributary has said goodbye.
set -m
target/debug/salesforce-simulator --port 0 --rate "${RATE:-3}" --objects Lead >"$work/simulator.out" 2>"$work/simulator.err" </dev/null &
simulator=$!
set +m

# value KEY: what the simulator printed as KEY=...
value() { sed -n "s/^$1=//p" "$work/simulator.out" | head -1; }
for _ in $(seq 100); do
  [ -z "$(value consumer_secret)" ] || break
  kill -0 "$simulator" 2>/dev/null || break
  sleep 0.1
done
if [ -z "$(value consumer_secret)" ]; then
  echo "demo: the simulator did not start:" >&2
  cat "$work/simulator.err" >&2
  exit 1
fi

# json KEY: the same as JSON text.
json() { value "$1" | sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$/"/'; }
cat >"$work/salesforce-pushtopic.json" <<JSON
{
  "name": "salesforce-leads",
  "config": {
    "connector.class": "SalesforcePushTopicSource",
    "name": "salesforce-leads",
    "kafka.auth.mode": "KAFKA_API_KEY",
    "kafka.api.key": "not-used-by-the-embedded-log",
    "kafka.api.secret": "not-used-by-the-embedded-log",
    "kafka.topic": "salesforce.\${_ObjectType}",
    "salesforce.grant.type": "PASSWORD",
    "salesforce.instance": $(json url),
    "salesforce.username": $(json username),
    "salesforce.password": $(json password),
    "salesforce.password.token": $(json security_token),
    "salesforce.consumer.key": $(json consumer_key),
    "salesforce.consumer.secret": $(json consumer_secret),
    "salesforce.object": "Lead",
    "salesforce.push.topic.name": "LeadsPushTopic",
    "salesforce.push.topic.create": "true",
    "salesforce.initial.start": "latest",
    "output.data.format": "JSON",
    "tasks.max": "1"
  }
}
JSON
cat >"$work/worker.properties" <<PROPERTIES
tributary.data.dir=$work/data
tributary.network.allow=http://127.0.0.1:*
PROPERTIES

echo "demo: a simulated org at $(value url), ${RATE:-3} changes a second; Ctrl-C ends the demo" >&2
status=0
if [ "$mode" = serve ]; then
  url=http://127.0.0.1:${PORT:-8083}
  target/debug/tributary serve --component target/component/salesforce-pushtopic.wasm --listen "${url#http://}" \
    --worker "$work/worker.properties" &
  service=$!
  until target/debug/tributary connectors --url "$url" list >/dev/null 2>&1; do
    kill -0 "$service" 2>/dev/null || exit 1
    sleep 0.1
  done
  target/debug/tributary connectors --url "$url" create "$work/salesforce-pushtopic.json"
  printf '%s\n' "demo: the connector is there; in another terminal:" \
    "  curl -s $url/connectors/salesforce-leads/status" "  target/debug/tributary top --url $url" >&2
  wait "$service" || status=$?
  exit "$status"
fi
target/debug/tributary run --tail --component target/component/salesforce-pushtopic.wasm \
  --worker "$work/worker.properties" "$work/salesforce-pushtopic.json" || status=$?
exit "$status"
