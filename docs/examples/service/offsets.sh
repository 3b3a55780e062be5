#!/usr/bin/env bash
# Moves a connector that runs, with the offsets requests of Confluent Cloud's Connect API: asks where it stands, asks to put it
# at a replay id, waits until that is done, and prints each answer on a line of its own.
#
#   offsets.sh URL CONNECTOR REPLAY_ID     offsets.sh http://127.0.0.1:8083 salesforce-leads 3826
#   offsets.sh URL CONNECTOR               takes the offsets away: it begins as salesforce.initial.start says
#
# USER_AND_PASSWORD=name:password where the service asks who it is: an API key and its secret in Confluent Cloud.
set -euo pipefail
[ $# = 2 ] || [ $# = 3 ] || { echo 'usage: offsets.sh URL CONNECTOR [REPLAY_ID]' >&2; exit 2; }
base="$1/connect/v1/environments/${ENVIRONMENT:-env-1}/clusters/${CLUSTER:-lkc-1}/connectors/$2/offsets"

ask() {
  curl --silent --show-error --fail-with-body ${USER_AND_PASSWORD:+--user "$USER_AND_PASSWORD"} "$@"
  echo
}

ask --request GET --url "$base"
if [ $# = 3 ]; then
  request="{\"type\": \"PATCH\", \"offsets\": [{\"partition\": {}, \"offset\": {\"replayId\": $3}}]}"
else
  request='{"type": "DELETE"}'
fi
ask --request POST --url "$base/request" --header 'Content-Type: application/json' --data "$request"
for _ in $(seq 150); do
  answer=$(ask --request GET --url "$base/request/status")
  case $answer in *'"phase":"PENDING"'*) sleep 0.2 ;; *) break ;; esac
done
echo "$answer"
case $answer in *'"phase":"APPLIED"'*) ;; *) exit 1 ;; esac
