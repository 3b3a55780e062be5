#!/usr/bin/env bash
# A Kafka broker for tests and for trying things out, from Apache's own artefacts. `make kafka` calls it.
#
#   scripts/kafka.sh              fetches the jars into target/kafka/<version>/libs (nothing to do: says nothing)
#   scripts/kafka.sh oldest      the jars of the oldest version that is supported, for the tests that run on it too
#   scripts/kafka.sh run [PORT]   the same, then one KRaft broker on 127.0.0.1:PORT (9092) in the foreground; data in
#                                 target/kafka/data, kept from run to run, also under another port
#
# It needs Java 17 or later, and Maven to fetch the jars; both are installed without asking only as root in CI.
set -euo pipefail
cd "$(dirname "$0")/.."

pom=scripts/kafka/pom.xml
version=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$pom")
oldest=3.9.1
home=target/kafka/$version
libs=$home/libs
java_major_min=17

say() { printf 'kafka: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# The major version of the `java` on the path; 0 when there is none.
java_major() {
  { java -version 2>&1 || true; } | sed -n '1s/.*version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | grep . || echo 0
}

# need COMMAND-THAT-TESTS WHAT PACKAGES...
need() {
  local test=$1 what=$2 log
  shift 2
  if "$test"; then return; fi
  if [ "$(id -u)" = 0 ] && [ -n "${CI:-}" ] && command -v apt-get >/dev/null; then
    say "installing $*"
    log=$(mktemp)
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } \
      >"$log" 2>&1 || { tail -5 "$log" >&2; rm -f "$log"; die "could not install $*"; }
    rm -f "$log"
    hash -r
    "$test" && return
  fi
  die "$what is missing; on Debian or Ubuntu: $([ "$(id -u)" = 0 ] || printf 'sudo ')apt-get install $*"
}
have_java() { [ "$(java_major)" -ge "$java_major_min" ]; }
# The tests of transforms compile a program against Kafka's jars.
have_jdk() { command -v javac >/dev/null; }
have_maven() { command -v mvn >/dev/null; }

# Fetches the jars, unless this pom's jars are there already.
fetch() {
  need have_java "Java $java_major_min or later" openjdk-17-jre-headless
  if [ -n "${CI:-}" ]; then need have_jdk "A JDK" openjdk-17-jdk-headless; fi
  if cmp -s "$pom" "$home/pom.xml"; then return; fi
  need have_maven "Maven" maven
  say "fetching Kafka $version"
  rm -rf "$home"
  mkdir -p "$libs"
  # Into a new directory, and the pom last: a run that was cut off is repeated.
  mvn --quiet --batch-mode -Dstyle.color=never -Dkafka.version="$version" --file "$pom" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$PWD/$libs" >&2
  cp "$pom" "$home/pom.xml"
  say "Kafka $version is in $libs"
}

run() {
  local port=${1:-9092} controller data=$PWD/target/kafka/data properties
  [[ $port =~ ^[0-9]+$ && $port -ge 1 && $port -le 65534 ]] || die "'$port' is no port"
  controller=$((port + 1))
  properties=$data/server.properties
  mkdir -p "$data"
  cat >"$properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$data/log
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
PROPERTIES
  local java=(java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1
    "-Dlog4j2.configurationFile=$PWD/scripts/kafka/log4j2.properties" -cp "$PWD/$libs/*")
  if [ ! -f "$data/log/meta.properties" ]; then
    "${java[@]}" kafka.tools.StorageTool format -t "$("${java[@]}" kafka.tools.StorageTool random-uuid)" \
      -c "$properties" >/dev/null
  fi
  say "bootstrap.servers=127.0.0.1:$port"
  say "a topic: java -cp '$libs/*' org.apache.kafka.tools.TopicCommand --bootstrap-server 127.0.0.1:$port --create --topic NAME"
  say "data in target/kafka/data; Ctrl-C stops the broker"
  exec "${java[@]}" kafka.Kafka "$properties"
}

case ${1:-fetch} in
  fetch) fetch ;;
  oldest) version=$oldest home=target/kafka/$oldest libs=target/kafka/$oldest/libs; fetch ;;
  run) fetch; shift; run "$@" ;;
  *) die "usage: scripts/kafka.sh [fetch | oldest | run [PORT]]" ;;
esac
