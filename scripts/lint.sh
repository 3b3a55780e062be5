#!/usr/bin/env bash
# Everything that is checked without running a test. `make lint` calls it. A check whose tool is not installed is
# skipped, and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf 'lint: %s\n' "$*" >&2; }

step formatting
cargo fmt --all --check

step 'clippy, native'
cargo clippy --quiet --workspace --all-targets -- -D warnings

libs=$(rustc --print target-libdir --target wasm32-unknown-unknown)
if compgen -G "$libs/libstd-*.rlib" >/dev/null; then
  step 'clippy, the component'
  cargo clippy --quiet --package salesforce-pushtopic --lib --target wasm32-unknown-unknown -- -D warnings
else
  step 'SKIPPED clippy of the component: rustup target add wasm32-unknown-unknown'
fi

if command -v cargo-deny >/dev/null; then
  step 'licences and sources'
  cargo deny --log-level error check bans licenses sources
else
  step 'SKIPPED licences: cargo install cargo-deny'
fi

if command -v shellcheck >/dev/null; then
  step 'shell scripts'
  shellcheck scripts/*.sh docs/examples/*/*.sh .ci/run
else
  step 'SKIPPED shell scripts: install shellcheck'
fi
