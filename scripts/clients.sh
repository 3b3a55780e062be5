#!/usr/bin/env bash
# Clients of the REST API that others wrote, in Python: Kafka Connect clients, schemathesis for the OpenAPI document, readers
# of Prometheus' and OpenTelemetry's formats. `make clients` calls it; the tests use them.
#
# It needs Python 3 with venv. What cannot be had is said aloud, and the tests that need it are skipped aloud.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=scripts/clients/requirements.txt
python=target/clients/python

say() { printf 'clients: %s\n' "$*" >&2; }
skip() { say "SKIPPED: $*"; exit 0; }

cmp -s "$requirements" "$python/requirements.txt" && exit 0
command -v python3 >/dev/null || skip "Python 3 is missing"
say "fetching them"
rm -rf "$python"
mkdir -p "${python%/*}"
{ python3 -m venv "$python" && "$python/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"; } >&2 ||
  { rm -rf "$python"; skip "they could not be fetched (python3-venv, PyPI)"; }
cp "$requirements" "$python/requirements.txt"
