package node

import (
	"fmt"
	"testing"
	"time"
)

// TestSchemaIsEverywhere: once DDL has returned, every node answers with the new schema; a node that cannot be reached does not hold it up for long.
func TestSchemaIsEverywhere(t *testing.T) {
	virtualCluster(t, 3, 2, 3, func(t *testing.T, s *several) {
		for i := range 30 {
			at := func(k int) *Node { return s.nodes[fmt.Sprint("node-", (i+k)%3+1)] }
			must(t, at(0), fmt.Sprintf("CREATE TABLE t%d (id UInt64) ENGINE = MergeTree ORDER BY id", i))
			must(t, at(1), fmt.Sprintf("INSERT INTO t%d VALUES (1)", i))
			must(t, at(1), fmt.Sprintf("ALTER TABLE t%d ADD COLUMN more UInt8", i))
			must(t, at(2), fmt.Sprintf("INSERT INTO t%d (id, more) VALUES (2, 3)", i))
			must(t, at(2), fmt.Sprintf("DROP TABLE t%d", i))
			if got, err := run(t, at(0), fmt.Sprintf("EXISTS TABLE t%d", i)); err != nil || got != "0\n" {
				t.Errorf("a table that was dropped: %q, %v", got, err)
			}
		}
		s.net.Isolate("node-3")
		defer s.net.HealAll()
		time.Sleep(5 * time.Second) // whom node-3 led, another leads
		start := time.Now()
		must(t, s.nodes["node-1"], "CREATE TABLE last (id UInt64) ENGINE = MergeTree ORDER BY id")
		if took := time.Since(start); took > 2*schemaPatience {
			t.Errorf("with a node that cannot be reached CREATE takes %v", took)
		}
	})
}
