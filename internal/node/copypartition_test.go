package node

import (
	"sync"
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// TestDetachedPartitions: detached rows are gone, also after a restart and from all that names them, until they are attached: whole, with the columns that the
// table has then, under whatever name it has then.
func TestDetachedPartitions(t *testing.T) {
	fs := vfs.NewMem()
	n := open(t, fs)
	const all = "SELECT k, v, w FROM t ORDER BY k, v"
	must(t, n, "CREATE TABLE t (k UInt64, v String, old UInt8, x DateTime DEFAULT 0) ENGINE = MergeTree PARTITION BY k % 3 ORDER BY k TTL x + INTERVAL 100 YEAR")
	must(t, n, "INSERT INTO t (k, v) SELECT number, toString(number) FROM numbers(6)")
	must(t, n, "ALTER TABLE t DETACH PARTITION 1")
	must(t, n, "INSERT INTO t (k, v) VALUES (1, 'new')")
	must(t, n, "ALTER TABLE t ADD COLUMN w UInt8 DEFAULT 7, RENAME COLUMN v TO u, DROP COLUMN old")
	must(t, n, "ALTER TABLE t RENAME COLUMN u TO v")
	expect(t, n, all, "0\t0\t7\n1\tnew\t7\n2\t2\t7\n3\t3\t7\n5\t5\t7\n")
	expect(t, n, "SELECT count() FROM system.tables WHERE database = 'default'", "1\n")
	must(t, n, "ALTER TABLE t DETACH PARTITION 1") // beside what is detached already
	must(t, n, "RENAME TABLE t TO moved")
	must(t, n, "RENAME TABLE moved TO t")
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open(t, fs)
	defer n.Close()
	expect(t, n, all, "0\t0\t7\n2\t2\t7\n3\t3\t7\n5\t5\t7\n")
	must(t, n, "ALTER TABLE t ATTACH PARTITION 2") // nothing
	must(t, n, "ALTER TABLE t ATTACH PARTITION 1")
	must(t, n, "ALTER TABLE t ATTACH PARTITION 1") // nothing is left
	expect(t, n, all, "0\t0\t7\n1\t1\t7\n1\tnew\t7\n2\t2\t7\n3\t3\t7\n4\t4\t7\n5\t5\t7\n")
	must(t, n, "ALTER TABLE t DETACH PARTITION ALL")
	expect(t, n, "SELECT count() FROM t", "0\n")
	if _, err := run(t, n, "ALTER TABLE t DROP DETACHED PARTITION 0"); !sqlerr.Is(err, sqlerr.SupportIsDisabled) {
		t.Error(err)
	}
	must(t, n, "ALTER TABLE t DROP DETACHED PARTITION 0", "allow_drop_detached", "1")
	must(t, n, "ALTER TABLE t ATTACH PARTITION ALL")
	expect(t, n, all, "1\t1\t7\n1\tnew\t7\n2\t2\t7\n4\t4\t7\n5\t5\t7\n")
	must(t, n, "ALTER TABLE t DETACH PARTITION 1")
	must(t, n, "DROP TABLE t")
	for _, left := range n.cluster.Meta().Catalog().Stored() {
		if left.Database == "default" {
			t.Errorf("%s is left of a dropped table", left.FullName())
		}
	}
}

// TestCopiedPartitions: ATTACH … FROM, REPLACE and MOVE … TO TABLE on shards of several replicas, while rows come. Each row is in one table or in the other.
func TestCopiedPartitions(t *testing.T) {
	s := severalWith(t, nil, 2, 2, 2)
	n := s.nodes["node-1"]
	for _, name := range []string{"a", "b"} {
		must(t, n, "CREATE TABLE "+name+" (k UInt64, p UInt8) ENGINE = MergeTree PARTITION BY p ORDER BY k SETTINGS sharding_key = 'k'")
	}
	must(t, n, "CREATE TABLE other (k UInt64, p UInt8) ENGINE = MergeTree PARTITION BY p ORDER BY k")
	for sql, code := range map[string]sqlerr.Code{
		"ALTER TABLE other ATTACH PARTITION 1 FROM a": sqlerr.NotImplemented,
		"ALTER TABLE a MOVE PARTITION 1 TO TABLE no":  sqlerr.UnknownTable,
	} {
		if _, err := run(t, n, sql); !sqlerr.Is(err, code) {
			t.Errorf("%s: %v", sql, err)
		}
	}
	must(t, n, "INSERT INTO a SELECT number, number % 2 FROM numbers(1000)")
	must(t, n, "ALTER TABLE b ATTACH PARTITION 1 FROM a")
	must(t, n, "ALTER TABLE b ATTACH PARTITION 1 FROM a")
	s.everywhere("SELECT count(), uniqExact(k), sum(p) FROM b", "1000\t500\t1000\n")
	must(t, n, "ALTER TABLE b REPLACE PARTITION 1 FROM a")
	must(t, n, "ALTER TABLE b REPLACE PARTITION 1 FROM b")
	s.everywhere("SELECT count(), uniqExact(k) FROM b", "500\t500\n")
	must(t, n, "TRUNCATE TABLE b")
	var coming sync.WaitGroup
	coming.Go(func() {
		for range 10 {
			if _, err := run(t, n, "INSERT INTO a SELECT number + (SELECT count() FROM system.one), 0 FROM numbers(100)"); err != nil {
				t.Error(err)
			}
			if _, err := run(t, n, "OPTIMIZE TABLE a"); err != nil {
				t.Error(err)
			}
		}
	})
	for range 10 {
		must(t, n, "ALTER TABLE a MOVE PARTITION 0 TO TABLE b")
	}
	coming.Wait()
	must(t, n, "ALTER TABLE a MOVE PARTITION 0 TO TABLE b")
	s.everywhere("SELECT count() FROM a", "500\n")
	s.everywhere("SELECT count(), sum(p) FROM b", "1500\t0\n")
	must(t, n, "ALTER TABLE b DETACH PARTITION 0")
	s.everywhere("SELECT count() FROM b", "0\n")
	must(t, n, "ALTER TABLE b ATTACH PARTITION 0")
	s.everywhere("SELECT count() FROM b", "1500\n")
}
