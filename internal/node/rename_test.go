package node

import (
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// TestRenameColumn renames, swaps, drops and adds columns of rows in segments and in the memtable; each time after a restart, an update, a merge and a
// restored backup as well.
func TestRenameColumn(t *testing.T) {
	fs := vfs.NewMem()
	n := open(t, fs)
	defer func() { n.Close() }()
	must(t, n, "CREATE TABLE t (k UInt64, a Int64, b Int64, d Int64 DEFAULT a * 2, al Int64 ALIAS b + 1, INDEX i b TYPE minmax, INDEX j (b % 10) TYPE minmax, CONSTRAINT c CHECK b >= 0) ENGINE = MergeTree ORDER BY k TTL toDateTime(b + 4000000000) SETTINGS index_granularity = 4")
	must(t, n, "INSERT INTO t (k, a, b) SELECT number, number, number + 1000 FROM numbers(40)")
	must(t, n, "OPTIMIZE TABLE t FINAL")
	must(t, n, "INSERT INTO t (k, a, b) VALUES (100, 100, 1100)")
	must(t, n, "CREATE TABLE o (x UInt8, s Int64) ENGINE = Log")
	for sql, code := range map[string]sqlerr.Code{
		"ALTER TABLE t RENAME COLUMN k TO kk": sqlerr.AlterOfColumnIsForbidden,
		"ALTER TABLE t RENAME COLUMN zz TO k": sqlerr.NotFoundColumnInBlock,
		"ALTER TABLE t RENAME COLUMN a TO b":  sqlerr.DuplicateColumn,
		"ALTER TABLE o RENAME COLUMN x TO y":  sqlerr.NotImplemented,
		"ALTER TABLE t RENAME COLUMN k TO k":  sqlerr.DuplicateColumn,
		"ALTER TABLE t ADD COLUMN a UInt8":    sqlerr.DuplicateColumn,
		"INSERT INTO t (k, b) VALUES (1, -1)": sqlerr.ViolatedConstraint,
	} {
		if _, err := run(t, n, sql); !sqlerr.Is(err, code) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	backups := 0
	always := func(sql, want string) {
		t.Helper()
		expect(t, n, sql, want)
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		n = open(t, fs)
		expect(t, n, sql, want)
		backups++
		name := "File('b" + string(rune('a'+backups)) + "')"
		must(t, n, "BACKUP TABLE t TO "+name)
		must(t, n, "RENAME TABLE t TO kept")
		must(t, n, "RESTORE TABLE t FROM "+name)
		expect(t, n, sql, want)
		must(t, n, "TRUNCATE TABLE t")
		must(t, n, "RENAME TABLE t TO other, kept TO t")
		must(t, n, "DROP TABLE other")
		must(t, n, "ALTER TABLE t DELETE WHERE k = 77")
		expect(t, n, sql, want)
	}
	must(t, n, "ALTER TABLE t RENAME COLUMN b TO c")
	always("SELECT count(), sum(a), sum(c), sum(d), sum(al), max(k) FROM t WHERE c > 1037", "3\t177\t3177\t354\t3180\t100\n")
	always("SELECT k FROM t WHERE c % 10 = 3 AND c < 1020 ORDER BY k", "3\n13\n")
	if _, err := run(t, n, "SELECT b FROM t"); !sqlerr.Is(err, sqlerr.UnknownIdentifier) {
		t.Error(err)
	}
	if _, err := run(t, n, "INSERT INTO t (k, c) VALUES (1, -1)"); !sqlerr.Is(err, sqlerr.ViolatedConstraint) {
		t.Error(err)
	}
	// A new b beside the old one; a filter that was asked of the old one before.
	expect(t, n, "SELECT count() FROM t WHERE a = 5", "1\n")
	must(t, n, "ALTER TABLE t ADD COLUMN b Int64 DEFAULT c + 1")
	always("SELECT sum(b), sum(c) FROM t WHERE b > 1038", "3180\t3177\n")
	must(t, n, "INSERT INTO t (k, a, b, c) VALUES (200, 200, 7, 8)")
	always("SELECT k, a, b, c, d FROM t WHERE b = 7 OR c = 1039 ORDER BY k", "39\t39\t1040\t1039\t78\n200\t200\t7\t8\t400\n")
	must(t, n, "ALTER TABLE t RENAME COLUMN a TO x, RENAME COLUMN b TO a, RENAME COLUMN x TO b")
	always("SELECT a, b, c, d FROM t WHERE a = 7 OR b = 5 ORDER BY k", "1006\t5\t1005\t10\n7\t200\t8\t400\n")
	expect(t, n, "SELECT count() FROM t WHERE a = 5", "0\n")
	must(t, n, "OPTIMIZE TABLE t FINAL")
	always("SELECT a, b, c, d FROM t WHERE a = 7 OR b = 5 ORDER BY k", "1006\t5\t1005\t10\n7\t200\t8\t400\n")
	// Dropped and added again: nothing of the old values shows, whatever names they had.
	must(t, n, "ALTER TABLE t DROP COLUMN a, ADD COLUMN a String DEFAULT 'new'")
	always("SELECT count(), min(a), max(a), sum(b) FROM t", "42\tnew\tnew\t1080\n")
	must(t, n, "INSERT INTO t (k, a, b, c) VALUES (300, 'old', 1, 1)")
	must(t, n, "ALTER TABLE t DROP COLUMN a")
	must(t, n, "ALTER TABLE t ADD COLUMN a UInt8")
	always("SELECT count(), sum(a) FROM t WHERE a < 5", "43\t0\n")
	must(t, n, "ALTER TABLE t RENAME COLUMN c TO `we ird#1`, MODIFY COLUMN b Int32")
	always("SELECT k, b, `we ird#1` FROM t WHERE `we ird#1` = 1100 OR b = 39 ORDER BY k", "39\t39\t1039\n100\t100\t1100\n")
	must(t, n, "OPTIMIZE TABLE t FINAL")
	always("SELECT k, b, `we ird#1`, a FROM t WHERE `we ird#1` = 1100 OR b = 39 ORDER BY k", "39\t39\t1039\t0\n100\t100\t1100\t0\n")
}

// TestRenameDotted renames a column whose name has a dot, as those of Nested have, where expressions read it.
func TestRenameDotted(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	must(t, n, "CREATE TABLE t (k UInt8, `n.a` Array(UInt8), z UInt64 DEFAULT length(n.a), INDEX i length(n.a) TYPE minmax) ENGINE = MergeTree ORDER BY k")
	must(t, n, "INSERT INTO t (k, `n.a`) VALUES (1, [1, 2])")
	must(t, n, "ALTER TABLE t RENAME COLUMN `n.a` TO `m.b`")
	must(t, n, "INSERT INTO t (k, `m.b`) VALUES (2, [3])")
	must(t, n, "OPTIMIZE TABLE t FINAL")
	expect(t, n, "SELECT k, m.b, z FROM t WHERE length(m.b) > 0 ORDER BY k", "1\t[1,2]\t2\n2\t[3]\t1\n")
}

// TestRenameReadColumn refuses other names for columns that materialized views read or write.
func TestRenameReadColumn(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	must(t, n, "CREATE TABLE s (k UInt8, v UInt8, w UInt8) ENGINE = MergeTree ORDER BY k")
	must(t, n, "CREATE TABLE d (k UInt8, v UInt64) ENGINE = SummingMergeTree ORDER BY k")
	must(t, n, "CREATE MATERIALIZED VIEW m TO d AS SELECT k, sum(v) AS v FROM s GROUP BY k")
	for _, sql := range []string{"ALTER TABLE s RENAME COLUMN v TO x", "ALTER TABLE d RENAME COLUMN v TO x"} {
		if _, err := run(t, n, sql); !sqlerr.Is(err, sqlerr.AlterOfColumnIsForbidden) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	must(t, n, "ALTER TABLE s RENAME COLUMN w TO x")
	must(t, n, "INSERT INTO s VALUES (1, 2, 3)")
	expect(t, n, "SELECT x, v FROM s", "3\t2\n")
	expect(t, n, "SELECT k, v FROM d", "1\t2\n")
}
