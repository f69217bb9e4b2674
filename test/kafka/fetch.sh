#!/bin/sh
# Fetches Apache Kafka's jars from Maven Central into .cache/kafka/libs, once, and prints the folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
libs=$here/../../.cache/kafka/libs
if [ ! -e "$libs/.complete" ]; then
	mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$libs" >&2
	touch "$libs/.complete"
fi
echo "$libs"
