#!/usr/bin/env bash
# Builds the component target/component/salesforce-pushtopic.wasm. `make component` calls it.
#
# It needs a compiler and a standard library for wasm32-unknown-unknown, and knows two ways to them:
#   rustup   the target of the Rust toolchain in use (`rustup target add wasm32-unknown-unknown` when it is missing)
#   debian   Debian's compiler with its standard library built from source; for machines where rustup cannot fetch
#            targets. The packages are installed without asking only as root in CI.
# COMPONENT_TOOLCHAIN=auto|rustup|debian chooses by hand; auto, the default, tries them in this order.
#
# Cargo decides what is out of date. The component's file is touched only when its bytes change.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

target=wasm32-unknown-unknown
package=salesforce-pushtopic
component=target/component/$package.wasm
debian_packages=(rustc-web cargo-web rust-web-src lld-22)
debian_rustc=/usr/bin/rustc
debian_linker=/usr/bin/wasm-ld-22
# The least compiler version, as in Cargo.toml's rust-version.
rust_minor_min=95

say() { printf 'component: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# Is the standard library of the target there for the toolchain in use?
target_installed() {
  local libs
  libs=$(rustc --print target-libdir --target "$target" 2>/dev/null) && compgen -G "$libs/libstd-*.rlib" >/dev/null
}

# Debian's compiler, its standard library's source, and a linker.
debian_present() {
  local sysroot minor
  [ -x "$debian_rustc" ] && [ -x /usr/bin/cargo ] && [ -x "$debian_linker" ] || return 1
  minor=$("$debian_rustc" --version | sed -n 's/^rustc 1\.\([0-9]*\).*/\1/p')
  sysroot=$("$debian_rustc" --print sysroot)
  [ "${minor:-0}" -ge "$rust_minor_min" ] && [ -f "$sysroot/lib/rustlib/src/rust/library/std/Cargo.toml" ]
}

debian_install() {
  local log
  command -v apt-get >/dev/null || return 1
  log=$(mktemp)
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${debian_packages[@]}"; } >"$log" 2>&1; then
    tail -5 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  debian_present
}

# Sets `way` and `why`, or returns 1 with what is missing in `why`.
choose_rustup() {
  way=rustup
  if target_installed; then
    why="$(rustc --version | cut -d' ' -f1,2) has the target $target"
  elif ! command -v rustup >/dev/null; then
    why="the Rust toolchain lacks the target $target and there is no rustup to add it"
    return 1
  elif timeout 300 rustup target add "$target" >/dev/null 2>&1 && target_installed; then
    why="rustup added the target $target"
  else
    why="rustup cannot add the target $target"
    return 1
  fi
}

choose_debian() {
  way=debian
  if debian_present; then
    why="$("$debian_rustc" --version | cut -d' ' -f1,2) and its standard library's source are installed"
  elif [ "$(id -u)" = 0 ] && [ -n "${CI:-}" ]; then
    say "installing Debian's ${debian_packages[*]}"
    debian_install || { why="apt-get could not install ${debian_packages[*]}"; return 1; }
    why="installed Debian's ${debian_packages[*]}"
  else
    why="Debian's packages are not installed"
    return 1
  fi
}

as_root() { [ "$(id -u)" = 0 ] || printf 'sudo '; }
remedy() {
  printf 'Install the target with\n    rustup target add %s\nor, on Debian, the packages with\n    %sapt-get install %s\n' \
    "$target" "$(as_root)" "${debian_packages[*]}" >&2
}

case ${COMPONENT_TOOLCHAIN:-auto} in
  rustup) choose_rustup || { say "$why"; remedy; exit 1; } ;;
  debian) choose_debian || { say "$why"; remedy; exit 1; } ;;
  auto)
    if ! choose_rustup; then
      first=$why
      choose_debian || { say "$first; $why"; remedy; exit 1; }
      why="$first; $why"
    fi
    ;;
  *) die "COMPONENT_TOOLCHAIN is '$COMPONENT_TOOLCHAIN'; it must be auto, rustup or debian" ;;
esac
say "way: $way ($why)"

# No path of this machine goes into the component: panic messages hold the paths of source files. Of several flags that
# fit, the compiler takes the last one. Everything is fetched first, so that the flags do not change between two runs.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
cargo fetch --quiet
flags=("--remap-path-prefix=$cargo_home=/cargo")
for registry in "$cargo_home"/registry/src/*/; do flags+=("--remap-path-prefix=${registry%/}=/cargo"); done
flags+=("--remap-path-prefix=$root=/tributary")
arguments=(--package "$package" --lib --profile component --target "$target")
if [ "$way" = debian ]; then
  # A target directory of its own: the two compilers would throw away each other's work.
  artefacts=$root/target/debian
  flags+=("--remap-path-prefix=$("$debian_rustc" --print sysroot)/lib/rustlib/src/rust=/rustc" \
    "--remap-path-prefix=$(readlink -f "$("$debian_rustc" --print sysroot)/lib/rustlib/src/rust")=/rustc" \
    -Clinker-flavor=wasm-ld "-Clinker=$debian_linker")
  build=(env RUSTC="$debian_rustc" RUSTC_BOOTSTRAP=1 /usr/bin/cargo build "${arguments[@]}" "-Zbuild-std=std,panic_abort")
else
  artefacts=$root/target
  build=(cargo build "${arguments[@]}")
fi
# Separated by a unit separator, so that paths may hold spaces; wins over the person's own RUSTFLAGS.
encoded=$(IFS=$'\x1f'; printf '%s' "${flags[*]}")
CARGO_TARGET_DIR=$artefacts CARGO_ENCODED_RUSTFLAGS=$encoded "${build[@]}"

module=$artefacts/$target/component/${package//-/_}.wasm
for secret in "$root" "$cargo_home" "$HOME"; do
  if grep -qaF "$secret/" "$module"; then
    die "$module holds the path $secret of this machine; a --remap-path-prefix is missing in $0"
  fi
done
CARGO_TARGET_DIR=$root/target cargo run --quiet --package componentize -- "$module" "$component"
say "$component, $(wc -c <"$component") bytes"
