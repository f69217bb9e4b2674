#!/bin/sh
# Runs one Apache Kafka broker (KRaft, no ZooKeeper) on 127.0.0.1 in the foreground, from the jars that Maven Central
# has; they are kept in .cache/kafka. Usage: start.sh DIRECTORY PORT. The broker's data and log go to DIRECTORY, which
# must be empty or an earlier run's; PORT + 1 is the controller's.
set -eu
dir=$1
port=$2
here=$(cd "$(dirname "$0")" && pwd)
libs=$("$here/fetch.sh")
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
cat >"$dir/server.properties" <<END
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:$((port + 1))
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$dir/data
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
END
cat >"$dir/log4j2.properties" <<END
appender.out.type = Console
appender.out.name = out
appender.out.target = SYSTEM_ERR
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
END
export CLASSPATH="$libs/*"
opts="-Xmx512m -Dlog4j2.configurationFile=$dir/log4j2.properties"
if [ ! -e "$dir/data/meta.properties" ]; then
	# shellcheck disable=SC2086 # the options are several words
	java $opts kafka.tools.StorageTool format -t "$(java $opts kafka.tools.StorageTool random-uuid)" -c "$dir/server.properties" >&2
fi
# shellcheck disable=SC2086
exec java $opts kafka.Kafka "$dir/server.properties"
