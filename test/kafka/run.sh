#!/bin/sh
# Runs the ingestion tests against a real Apache Kafka 4. Says so and succeeds where Java, Maven or the jars are missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
for tool in java mvn; do
	if ! command -v "$tool" >/dev/null; then
		echo "test-kafka: NOT RUN: $tool is not installed" >&2
		exit 0
	fi
done
if ! "$here/fetch.sh" >/dev/null; then
	echo "test-kafka: NOT RUN: Kafka's jars could not be fetched from Maven Central" >&2
	exit 0
fi
port=${KAFKA_PORT:-29092}
dir=$(mktemp -d)
"$here/start.sh" "$dir" "$port" 2>"$dir/log" &
broker=$!
trap 'kill $broker 2>/dev/null; wait $broker 2>/dev/null || true; rm -rf "$dir"' EXIT INT TERM
cd "$here/../.."
if ! KAFKA_BROKERS=127.0.0.1:$port KAFKA_START=$here/start.sh ${GO:-go} test ./ingest -run 'TestRealKafka' -count=1 -v; then
	tail -50 "$dir/log" >&2
	exit 1
fi
