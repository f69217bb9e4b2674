#!/usr/bin/env bash
# Runs real clients against a server of its own, each installed into .cache/clients. A client that cannot be installed is named as
# not run; one that runs and fails makes this fail. With "grafana" only what Grafana asks is run. With "all" clickhouse-go's own tests run too, and the results are written
# into docs/compatibility.md.
set -uo pipefail
what=${1:-all}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=$root/.cache/clients
. "$here/versions.sh"
mkdir -p "$cache"
dir=$(mktemp -d)
results=$dir/results.tsv
failed=0

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export OLAPD_HTTP_PORT=$(free_port) OLAPD_NATIVE_PORT=$(free_port)
echo 'custom_settings_prefixes: [custom_]' >"$dir/config.yaml" # what clickhouse-go's tests configure ClickHouse with
"${OLAPD:-$root/bin/olapd}" server --config "$dir/config.yaml" --data "$dir/data" --http 127.0.0.1:"$OLAPD_HTTP_PORT" --native 127.0.0.1:"$OLAPD_NATIVE_PORT" --memory 2GiB >"$dir/log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$dir"' EXIT INT TERM
for _ in $(seq 100); do
	curl -fs "http://127.0.0.1:$OLAPD_HTTP_PORT/ping" >/dev/null 2>&1 && break
	sleep 0.1
done

# report CLIENT VERSION RESULT
report() {
	printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$results"
	echo "test-clients: $1 $2: $3"
}

# client NAME VERSION INSTALL RUN: both are functions; INSTALL fails where a registry refuses.
client() {
	if ! "$3" >"$dir/install" 2>&1; then
		report "$1" "$2" "NOT RUN: $(tail -1 "$dir/install" | tr '\t|' '  ' | sed "s#$root/##g" | cut -c1-120)"
		return
	fi
	if timeout 120 "$4" >"$dir/out" 2>&1; then
		report "$1" "$2" passed
		return
	fi
	failed=1
	report "$1" "$2" FAILED
	tail -40 "$dir/out"
}

# stamp NAME: true if the cache holds this version already.
stamped() { [ -e "$cache/$1" ]; }

install_curl() { command -v curl; }

install_python() {
	local mark=python-driver-$DRIVER-connect-$CONNECT
	stamped "$mark" && return
	rm -rf "$cache/python" && python3 -m venv "$cache/python" &&
		timeout 300 "$cache/python/bin/pip" install -q "clickhouse-driver==$DRIVER" "clickhouse-connect==$CONNECT" clickhouse-cityhash lz4 zstd && touch "$cache/$mark"
}

install_npm() {
	command -v node >/dev/null || { echo "node is not installed"; return 1; }
	local mark=npm-$JS
	stamped "$mark" && return
	mkdir -p "$cache/npm" && (cd "$cache/npm" && timeout 300 npm install --silent "@clickhouse/client@$JS") && touch "$cache/$mark"
}

# The libraries that Debian's client needs beside those that every system has.
install_debian() {
	local mark=debian-$DEBIAN
	stamped "$mark" && return
	command -v apt-get >/dev/null && command -v dpkg >/dev/null || { echo "this is no Debian"; return 1; }
	mkdir -p "$cache/debs" "$cache/debian"
	(cd "$cache/debs" && timeout 300 apt-get -qq download clickhouse-client clickhouse-common $DEBIAN_LIBRARIES) || { echo "Debian 12's packages are not to be had"; return 1; }
	for d in "$cache"/debs/*.deb; do dpkg -x "$d" "$cache/debian" || return 1; done
	touch "$cache/$mark"
}

install_chdb() { [ -x "$root/.cache/peers/bin/python" ] || { echo "make bench-peers installs it"; return 1; }; }

install_go() { (cd "$here/chgo" && timeout 600 "${GO:-go}" test -c -o "$cache/chgo.test" .); }

install_jdbc() {
	command -v java >/dev/null && command -v mvn >/dev/null || { echo "Java or Maven is not installed"; return 1; }
	local mark=jdbc-$JDBC
	stamped "$mark" && return
	timeout 300 mvn -q -f "$here/jdbc/pom.xml" -Dclickhouse.version="$JDBC" dependency:copy-dependencies -DoutputDirectory="$cache/jdbc" && touch "$cache/$mark"
}

run_curl() { "$here/curl.sh"; }
run_driver() { "$cache/python/bin/python" "$here/driver.py"; }
run_connect() { "$cache/python/bin/python" "$here/connect.py"; }
run_js() { NODE_PATH=$cache/npm/node_modules node "$here/client.cjs"; }
run_debian() { OLD_CLIENT=$cache/debian "$here/debian.sh"; }
run_chdb() { "$root/.cache/peers/bin/python" "$here/remote.py"; }
run_chgo() { "$cache/chgo.test" -test.v -test.skip Grafana; }
run_grafana() { "$cache/chgo.test" -test.v -test.run Grafana; }
run_jdbc() { java -cp "$cache/jdbc/*" "$here/jdbc/Jdbc.java"; }
export here root cache
export -f run_curl run_driver run_connect run_js run_debian run_chdb run_chgo run_grafana run_jdbc

# timeout runs no functions: a shell does.
timeout() {
	local seconds=$1
	shift
	case $1 in
	run_*) command timeout "$seconds" bash -c "$1" ;;
	*) command timeout "$seconds" "$@" ;;
	esac
}

client "statements of Grafana's ClickHouse datasource, through clickhouse-go (TCP and HTTP)" "$CLICKHOUSEGO" install_go run_grafana
[ "$what" = grafana ] && exit $failed
client "curl" "" install_curl run_curl
client "clickhouse-driver (Python, TCP)" "$DRIVER" install_python run_driver
client "clickhouse-connect (Python, HTTP)" "$CONNECT" install_python run_connect
client "@clickhouse/client (Node.js, HTTP)" "$JS" install_npm run_js
client "clickhouse-client of Debian 12 (TCP, revision 54412)" "$DEBIAN" install_debian run_debian
client "remote() of ClickHouse (chDB, TCP)" "26.7" install_chdb run_chdb
client "ch-go and clickhouse-go (TCP and HTTP)" "$CHGO, $CLICKHOUSEGO" install_go run_chgo
client "JDBC (clickhouse-jdbc on client-v2, HTTP)" "$JDBC" install_jdbc run_jdbc
if [ "$what" = all ]; then
	. "$here/clickhouse_go.sh"
	python3 "$here/section.py" "$root/docs/compatibility.md" "$results" "$dir/go.tsv" "$here/clickhouse_go.tsv" || failed=1
fi
exit $failed
