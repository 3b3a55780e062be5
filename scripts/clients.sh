#!/usr/bin/env bash
# Clients of the REST API that others wrote, in Python: Kafka Connect clients, schemathesis for the OpenAPI document, readers
# of Prometheus' and OpenTelemetry's formats. `make clients` calls it; the tests use them.
#
# It needs Python 3 with venv. What cannot be had is said aloud, and the tests that need it are skipped aloud.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'clients: %s\n' "$*" >&2; }
. scripts/venv.sh

venv scripts/clients/requirements.txt target/clients/python || say "SKIPPED"
