#!/usr/bin/env bash
# Refreshes wit/deps: the WASI 0.2.1 packages that the contract imports, taken from the `wasi` crate that carries them.
# Usage: scripts/vendor-wit.sh [--check]     (--check: exit 1 when wit/deps differs from what the crate holds)
set -euo pipefail
cd "$(dirname "$0")/.."
version='0.13.2+wasi-0.2.1'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/src" "$work/deps"
touch "$work/src/lib.rs"
printf '[package]\nname = "vendor"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\nwasi = "=%s"\n' "$version" >"$work/Cargo.toml"
cargo vendor --quiet --manifest-path "$work/Cargo.toml" "$work/vendor" >/dev/null
from=$work/vendor/wasi/wit/deps
# Only the interfaces that the world imports or that those need; the packages' own worlds are left out, since they
# would pull in sockets, the file system and the command line.
for file in io/{error,poll,streams} clocks/{monotonic-clock,wall-clock} random/random http/{types,handler}; do
  mkdir -p "$work/deps/${file%/*}"
  cp "$from/$file.wit" "$work/deps/$file.wit"
done
# The package's name stands in proxy.wit, which is among what is left out.
for file in "$work"/deps/http/*.wit; do
  printf 'package wasi:http@0.2.1;\n\n%s\n' "$(cat "$file")" >"$file"
done
if [ "${1:-}" = --check ]; then
  diff -r "$work/deps" wit/deps
else
  rm -rf wit/deps
  cp -r "$work/deps" wit/deps
fi
