#!/usr/bin/env bash
# What docs/examples/service/Containerfile describes, without a container engine: the program in a root that holds nothing but
# the libraries of its base image, read-only but for /data, as the user nonroot. Needs root and unshare.
#
#   scripts/container.sh PROGRAM COMPONENT PORT      serves on 127.0.0.1:PORT until SIGTERM
set -euo pipefail
[ $# = 3 ] || { echo 'usage: scripts/container.sh PROGRAM COMPONENT PORT' >&2; exit 2; }
program=$1 component=$2 port=$3
nonroot=65532
# Of gcr.io/distroless/cc-debian12.
base='linux-vdso|ld-linux|libc\.so|libm\.so|libgcc_s\.so|libdl\.so|libpthread\.so|librt\.so|libstdc\+\+\.so|libgomp\.so|libssl\.so|libcrypto\.so'

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# NAME => PATH (ADDRESS), or PATH (ADDRESS) for the loader.
while read -r library; do
  grep -qE "$base" <<<"$library" || { echo "container: $library is not in the base image" >&2; exit 1; }
  path=$(grep -oE '/[^ ]+' <<<"$library" | head -1) || continue
  install -D "$path" "$root$path"
done < <(ldd "$program")
install -D "$program" "$root/usr/local/bin/tributary"
install -D -m 644 "$component" "$root/etc/tributary/component.wasm"
printf '%s\n' "listeners=http://127.0.0.1:$port" tributary.data.dir=/data plugin.path=/etc/tributary \
  >"$root/etc/tributary/worker.properties"
install -d -o "$nonroot" "$root/data"
chmod 755 "$root"

# shellcheck disable=SC2016 # the inner shell expands them
unshare --mount sh -c '
  mount --bind "$1" "$1" && mount --bind "$1/data" "$1/data" && mount -o remount,ro,bind "$1" && cd "$1/data" || exit 1
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin XDG_CACHE_HOME=/data/cache chroot --userspec="$2:$2" "$1" \
    /usr/local/bin/tributary serve --worker /etc/tributary/worker.properties --log-format json
' sh "$root" "$nonroot" &
trap 'kill "$!" 2>/dev/null || true; wait "$!" || true; rm -rf "$root"' EXIT
trap 'exit 0' TERM INT
wait "$!"
