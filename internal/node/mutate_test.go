package node

import (
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// TestMutations: what ClickHouse answers, also after a restart.
func TestMutations(t *testing.T) {
	fs := vfs.NewMem()
	n := open(t, fs)
	must(t, n, "CREATE TABLE t (k UInt64, v String, m UInt64 MATERIALIZED k * length(v), n Nullable(Int32), c LowCardinality(String) DEFAULT 'x') ENGINE = MergeTree ORDER BY k PARTITION BY k % 2")
	must(t, n, "INSERT INTO t (k, v, n) SELECT number, toString(number), if(number % 3 = 0, NULL, number) FROM numbers(10)")
	for sql, code := range map[string]sqlerr.Code{
		"ALTER TABLE t UPDATE k = 1 WHERE 1":                      sqlerr.CannotUpdateColumn,
		"ALTER TABLE t UPDATE zz = 1 WHERE 1":                     sqlerr.NoSuchColumnInTable,
		"ALTER TABLE t UPDATE v = 'a' WHERE zz = 1":               sqlerr.UnknownIdentifier,
		"ALTER TABLE t UPDATE m = 1 WHERE 1":                      sqlerr.CannotUpdateColumn,
		"ALTER TABLE t DELETE WHERE 'x'":                          sqlerr.BadArguments,
		"ALTER TABLE t DELETE WHERE k = (SELECT 1 WHERE 0)":       sqlerr.IncorrectResultOfScalarSubquery,
		"ALTER TABLE nowhere DELETE WHERE 1":                      sqlerr.UnknownTable,
		"ALTER TABLE t DELETE WHERE 1, ADD COLUMN y UInt8":        sqlerr.NotImplemented,
		"ALTER TABLE t UPDATE v = 'a', v = 'b' WHERE 1":           sqlerr.BadArguments,
		"ALTER TABLE t UPDATE v = throwIf(k = 9)::String WHERE 1": sqlerr.FunctionThrowIfValueIsNonZero,
	} {
		if _, err := run(t, n, sql); !sqlerr.Is(err, code) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	expect(t, n, "SELECT count(), sum(m) FROM t", "10\t45\n")
	must(t, n, "ALTER TABLE t UPDATE v = 5 WHERE k = 3")
	must(t, n, "ALTER TABLE t UPDATE v = 'abc', n = n + 1, c = 'y' WHERE n > 4 SETTINGS mutations_sync = 2")
	const all = "SELECT k, v, n, m, c FROM t ORDER BY k"
	expect(t, n, all, "0\t0\t\\N\t0\tx\n1\t1\t1\t1\tx\n2\t2\t2\t2\tx\n3\t5\t\\N\t3\tx\n4\t4\t4\t4\tx\n5\tabc\t6\t15\ty\n6\t6\t\\N\t6\tx\n7\tabc\t8\t21\ty\n8\tabc\t9\t24\ty\n9\t9\t\\N\t9\tx\n")
	must(t, n, "ALTER TABLE t DELETE WHERE n IS NULL")
	must(t, n, "DELETE FROM t WHERE k IN (SELECT 4)")
	must(t, n, "DELETE FROM t WHERE (k, v) IN (SELECT toUInt64(1), '1') OR k = (SELECT max(number) + 1 FROM numbers(2))")
	must(t, n, "DELETE FROM t IN PARTITION 1 WHERE k = 7 OR k = 8")
	const left = "5\tabc\t6\t15\ty\n8\tabc\t9\t24\ty\n"
	expect(t, n, all, left)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open(t, fs)
	defer n.Close()
	expect(t, n, all, left)
	must(t, n, "INSERT INTO t (k, v) VALUES (100, 'late')")
	must(t, n, "DELETE FROM t WHERE k < 100")
	expect(t, n, "SELECT k, v FROM t", "100\tlate\n")
}
