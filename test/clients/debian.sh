#!/usr/bin/env bash
# clickhouse-client 18.16, of 2018: settings as binary values, no LowCardinality over HTTP's forms, no progress behind INSERT.
set -euo pipefail
export LD_LIBRARY_PATH=$OLD_CLIENT/usr/lib/x86_64-linux-gnu:$OLD_CLIENT/lib/x86_64-linux-gnu
c() { "$OLD_CLIENT/usr/bin/clickhouse-client" --host 127.0.0.1 --port "$OLAPD_NATIVE_PORT" "$@"; }
expect() {
	if [ "$1" != "$2" ]; then
		echo "got '$1', want '$2'"
		exit 1
	fi
}
c --query 'CREATE TABLE old (a UInt8, b String DEFAULT concat(toString(a), '"'!'"'), c Nullable(Date), d LowCardinality(String)) ENGINE = MergeTree ORDER BY a'
printf '1,"x","2020-01-01","p"\n2,"y",\\N,"q"\n' | c --query 'INSERT INTO old FORMAT CSV'
c --query 'INSERT INTO old (a) VALUES (3), (2 + 2)'
printf '{"a": 5, "d": "r"}' | c --query 'INSERT INTO old (a, b, d) FORMAT JSONEachRow'
expect "$(c --query 'SELECT a, b, c, d FROM old ORDER BY a FORMAT CSV' | tr '\n' ' ')" '1,"x","2020-01-01","p" 2,"y",\N,"q" 3,"3!",\N,"" 4,"4!",\N,"" 5,"5!",\N,"r" '
expect "$(c --max_threads=2 --max_block_size=10 --distributed_product_mode=allow --query "SELECT sum(number), getSetting('max_block_size') FROM numbers(1000)" | tr '\t' ' ')" '499500 10'
expect "$(c --compression 0 --multiquery --query 'SELECT 1; SELECT 2' | tr '\n' ' ')" '1 2 '
expect "$(c --query 'SELECT a % 2 AS k, count() FROM old GROUP BY k WITH TOTALS ORDER BY k' | tr '\t\n' '  ')" '0 2 1 3  0 5 '
printf '1\n4\n' >"$OLD_CLIENT/ids"
expect "$(c --external --file="$OLD_CLIENT/ids" --name=ids --structure='k UInt8' --query 'SELECT count() FROM old WHERE a IN ids')" 2
expect "$(c --query 'SELECT * FROM nowhere' 2>&1 | sed -n 2p | cut -c1-8)" 'Code: 60'
c --query 'DROP TABLE old'
