package node

import (
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// TestModifyColumnConverts changes types of columns whose rows are in segments and in the memtable; conditions, over which indexes of the
// old values would prune, hold on the new ones; after a restart and a merge too.
func TestModifyColumnConverts(t *testing.T) {
	fs := vfs.NewMem()
	n := open(t, fs)
	must(t, n, "CREATE TABLE t (k UInt64, s String, u UInt8, e Enum8('a' = 1, 'b' = 2), n Nullable(Int32), p Int32, INDEX i lower(s) TYPE set(0), INDEX j s TYPE set(0)) ENGINE = MergeTree ORDER BY k SETTINGS index_granularity = 4")
	must(t, n, "INSERT INTO t SELECT number, toString(number), number, if(number % 2, 'a', 'b'), if(number % 3 = 0, NULL, number), -number FROM numbers(40)")
	must(t, n, "OPTIMIZE TABLE t FINAL")
	must(t, n, "INSERT INTO t VALUES (100, 'x', 1, 'b', NULL, 7)")
	for sql, code := range map[string]sqlerr.Code{
		"ALTER TABLE t MODIFY COLUMN k UInt32":                 sqlerr.AlterOfColumnIsForbidden,
		"ALTER TABLE t MODIFY COLUMN s UUID":                   sqlerr.IllegalTypeOfArgument, // of lower(s)
		"ALTER TABLE t MODIFY COLUMN s UInt32, DROP INDEX i":   sqlerr.CannotParseText,
		"ALTER TABLE t MODIFY COLUMN s UInt32, DROP COLUMN zz": sqlerr.NotFoundColumnInBlock,
		"ALTER TABLE t MODIFY COLUMN n Int64":                  sqlerr.BadArguments,
		"ALTER TABLE t MODIFY COLUMN e Enum8('a' = 1)":         sqlerr.CannotConvertType,
	} {
		if _, err := run(t, n, sql); !sqlerr.Is(err, code) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	must(t, n, "ALTER TABLE t UPDATE s = '100' WHERE k = 100")
	expect(t, n, "SELECT toTypeName(s) FROM t LIMIT 1", "String\n")
	must(t, n, "ALTER TABLE t DROP INDEX i")
	must(t, n, "ALTER TABLE t DROP INDEX j")
	must(t, n, "ALTER TABLE t MODIFY COLUMN s UInt32, MODIFY COLUMN u Bool")
	must(t, n, "ALTER TABLE t MODIFY COLUMN e Enum8('a' = 1, 'b' = 2, 'c' = 3)")
	must(t, n, "ALTER TABLE t MODIFY COLUMN n Int64 DEFAULT -5")
	must(t, n, "ALTER TABLE t MODIFY COLUMN p Nullable(String)")
	must(t, n, "INSERT INTO t VALUES (200, 12, true, 'b', 1, NULL)")
	check := func() {
		t.Helper()
		expect(t, n, "SELECT count(), sum(s), countIf(u), countIf(e = 'a'), sum(n), min(p), countIf(p IS NULL) FROM t", "42\t892\t41\t20\t433\t-1\t1\n")
		expect(t, n, "SELECT k FROM t WHERE s = 12 ORDER BY k", "12\n200\n")
		expect(t, n, "SELECT k FROM t WHERE s > 37 ORDER BY k", "38\n39\n100\n")
		expect(t, n, "SELECT count() FROM t WHERE u = true", "41\n")
		expect(t, n, "SELECT count() FROM t WHERE e = 'b' AND k < 10", "5\n")
		expect(t, n, "SELECT count(), min(e) FROM t WHERE e = 'b' OR n = -5", "29\ta\n")
		expect(t, n, "SELECT k FROM t WHERE n = -5 AND k > 35 ORDER BY k", "36\n39\n100\n")
		expect(t, n, "SELECT k FROM t WHERE p = '-7'", "7\n")
		expect(t, n, "SELECT toTypeName(s), max(s) FROM t GROUP BY 1", "UInt32\t100\n")
	}
	check()
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open(t, fs)
	defer func() { n.Close() }()
	check()
	must(t, n, "ALTER TABLE t UPDATE s = s + 0 WHERE k = 3")
	check()
	must(t, n, "OPTIMIZE TABLE t FINAL")
	check()
}

// TestModifyColumnOfVersions converts columns of a table whose rows merge, and one that a view reads.
func TestModifyColumnOfVersions(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	must(t, n, "CREATE TABLE r (k UInt8, v UInt8, s String) ENGINE = ReplacingMergeTree(v) ORDER BY k")
	must(t, n, "INSERT INTO r VALUES (1, 1, '5'), (2, 1, '6')")
	must(t, n, "INSERT INTO r VALUES (1, 2, '7')")
	must(t, n, "ALTER TABLE r MODIFY COLUMN s Int64")
	expect(t, n, "SELECT k, s FROM r FINAL ORDER BY k", "1\t7\n2\t6\n")
	must(t, n, "CREATE MATERIALIZED VIEW m ENGINE = SummingMergeTree ORDER BY k AS SELECT k, sum(s) AS s FROM r GROUP BY k")
	if _, err := run(t, n, "ALTER TABLE r MODIFY COLUMN s String"); !sqlerr.Is(err, sqlerr.AlterOfColumnIsForbidden) {
		t.Errorf("a column that a view reads: %v", err)
	}
	must(t, n, "OPTIMIZE TABLE r FINAL")
	expect(t, n, "SELECT k, s FROM r ORDER BY k", "1\t7\n2\t6\n")
	// What a view writes may be converted: what it derives from then on is, too.
	must(t, n, "CREATE TABLE d (k UInt8, s Int64) ENGINE = MergeTree ORDER BY k")
	must(t, n, "CREATE MATERIALIZED VIEW w TO d AS SELECT k, s FROM r")
	must(t, n, "INSERT INTO r VALUES (3, 1, 8)")
	must(t, n, "ALTER TABLE d MODIFY COLUMN s String")
	must(t, n, "INSERT INTO r VALUES (4, 1, 9)")
	expect(t, n, "SELECT k, concat(s, '!') FROM d ORDER BY k", "3\t8!\n4\t9!\n")
}
