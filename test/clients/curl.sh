#!/usr/bin/env bash
# What people type by hand.
set -euo pipefail
u=http://127.0.0.1:$OLAPD_HTTP_PORT
expect() {
	if [ "$1" != "$2" ]; then
		echo "got '$1', want '$2'"
		exit 1
	fi
}
expect "$(curl -s "$u/ping")" Ok.
expect "$(echo 'SELECT 1' | curl -s "$u/" --data-binary @-)" 1
expect "$(curl -s "$u/?query=SELECT%201%20FORMAT%20JSONEachRow")" '{"1":1}'
curl -fsS "$u/" -d 'CREATE TABLE curl (k UInt32, v String) ENGINE = MergeTree ORDER BY k'
printf '1,a\n2,b\n' | curl -fsS "$u/?query=INSERT%20INTO%20curl%20FORMAT%20CSV" --data-binary @-
printf '{"k":3,"v":"c"}' | gzip | curl -fsS -H 'Content-Encoding: gzip' "$u/?query=INSERT%20INTO%20curl%20FORMAT%20JSONEachRow" --data-binary @-
expect "$(curl -fsS --compressed "$u/?param_k=1" -d 'SELECT count(), max(v) FROM curl WHERE k > {k:UInt32}' | tr '\t' ' ')" '2 c'
expect "$(curl -s -o /dev/null -w '%{http_code}' "$u/" -d 'SELECT * FROM nowhere')" 404
expect "$(curl -s "$u/?readonly=1" -d 'DROP TABLE curl' | cut -c1-9)" 'Code: 164'
expect "$(printf '1\n3\n' | curl -fsS -F 'ids=@-;filename=ids' "$u/?query=SELECT%20count()%20FROM%20curl%20WHERE%20k%20IN%20ids&ids_structure=k%20UInt32")" 2
curl -fsS "$u/" -d 'DROP TABLE curl'
