# clickhouse-go's own tests against the server of run.sh, which sources this. Tests that fail must stand in clickhouse_go.tsv with
# the reason; one that stands there and passes is named.
go_tests() {
	local src=$cache/clickhouse-go-$CLICKHOUSEGO
	if [ ! -x "$src.test" ]; then
		local mod
		mod=$(cd "$here/chgo" && "${GO:-go}" mod download -json github.com/ClickHouse/clickhouse-go/v2@$CLICKHOUSEGO | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
		[ -n "$mod" ] || return 1
		rm -rf "$src" && cp -r "$mod" "$src" && chmod -R u+w "$src" && (cd "$src" && "${GO:-go}" test -c -o "$src.test" ./tests) || return 1
	fi
	(cd "$src/tests" && CLICKHOUSE_USE_DOCKER=false CLICKHOUSE_HOST=127.0.0.1 CLICKHOUSE_PORT=$OLAPD_NATIVE_PORT CLICKHOUSE_HTTP_PORT=$OLAPD_HTTP_PORT \
		CLICKHOUSE_USERNAME=default CLICKHOUSE_PASSWORD= CLICKHOUSE_DATABASE=clickhouse_go command timeout 900 "$src.test" -test.v -test.timeout 870s) >"$dir/go.log" 2>&1
	sed -n 's/^--- \(PASS\|FAIL\|SKIP\): \([^ ]*\).*/\2\t\1/p' "$dir/go.log" >"$dir/go.tsv"
	[ -s "$dir/go.tsv" ]
}
if go_tests; then
	passed=$(grep -c 'PASS$' "$dir/go.tsv")
	total=$(wc -l <"$dir/go.tsv")
	echo "test-clients: clickhouse-go's own tests $CLICKHOUSEGO: $passed of $total passed"
	while IFS=$'\t' read -r name result; do
		if [ "$result" = FAIL ] && ! grep -q "^$name	" "$here/clickhouse_go.tsv"; then
			echo "test-clients: $name fails and is not in clickhouse_go.tsv:"
			grep -A12 "^=== RUN   $name\$" "$dir/go.log"
			failed=1
		fi
		if [ "$result" = PASS ] && grep -q "^$name	" "$here/clickhouse_go.tsv"; then
			echo "test-clients: $name passes: take it out of clickhouse_go.tsv"
		fi
	done <"$dir/go.tsv"
	awk -F '\t' 'NR == FNR {r[$1] = $2; next} r[$1] == "FAIL" {print "test-clients: fails: " $1 ": " $2}' "$dir/go.tsv" "$here/clickhouse_go.tsv"
else
	echo "test-clients: clickhouse-go's own tests: NOT RUN"
	tail -5 "$dir/go.log" 2>/dev/null
fi
