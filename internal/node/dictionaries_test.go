package node

import (
	"testing"
	"time"
)

// TestDictionaries: each node of a cluster has its own copy of a dictionary, read from all shards; lookups of fragments, of rollups and of mutations
// find the same as those of the node that is asked, a reload counts for all nodes at once, and lifetimes end on each.
func TestDictionaries(t *testing.T) {
	virtualCluster(t, 3, 3, 1, func(t *testing.T, s *several) {
		n := s.nodes["node-1"]
		must(t, n, "CREATE TABLE names (id UInt64, name String) ENGINE = MergeTree ORDER BY id SETTINGS sharding_key = 'id'")
		must(t, n, "CREATE TABLE facts (id UInt64, by String DEFAULT '') ENGINE = MergeTree ORDER BY id SETTINGS sharding_key = 'id'")
		must(t, n, "INSERT INTO names SELECT number, concat('n', toString(number)) FROM numbers(100)")
		must(t, n, "INSERT INTO facts (id) SELECT number FROM numbers(200)")
		must(t, n, "CREATE DICTIONARY dict (id UInt64, name String DEFAULT '-') PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'names')) LAYOUT(HASHED()) LIFETIME(MIN 100 MAX 100)")
		must(t, n, "CREATE DICTIONARY asked (id UInt64, name String DEFAULT '-') PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'names')) LAYOUT(DIRECT())")
		for _, d := range []string{"dict", "asked"} {
			s.everywhere("SELECT count(), countIf(dictGet('"+d+"', 'name', id) = concat('n', toString(id))) FROM facts", "200\t100\n")
			s.everywhere("SELECT count() FROM facts WHERE dictGet("+d+", 'name', id) = 'n7'", "1\n")
			s.everywhere("SELECT uniqExact(dictGet('"+d+"', 'name', id)) FROM facts", "101\n")
			s.everywhere("SELECT count(), uniqExact(name) FROM "+d, "100\t100\n")
		}
		must(t, n, "INSERT INTO names VALUES (150, 'late')")
		s.everywhere("SELECT count() FROM facts WHERE dictGet('dict', 'name', id) = 'late'", "0\n")
		must(t, s.nodes["node-2"], "SYSTEM RELOAD DICTIONARY dict")
		s.everywhere("SELECT count() FROM facts WHERE dictGet('dict', 'name', id) = 'late'", "1\n")
		must(t, n, "INSERT INTO names VALUES (151, 'later')")
		s.everywhere("SELECT dictHas('dict', 151)", "0\n")
		time.Sleep(101 * time.Second)
		s.everywhere("SELECT dictHas('dict', 151)", "1\n")

		must(t, n, "CREATE TABLE sums (name String, n UInt64) ENGINE = SummingMergeTree ORDER BY name")
		must(t, n, "CREATE MATERIALIZED VIEW rollup TO sums AS SELECT dictGet('dict', 'name', id) AS name, count() AS n FROM facts GROUP BY name")
		for _, name := range []string{"node-1", "node-2", "node-3"} {
			must(t, s.nodes[name], "INSERT INTO facts (id) VALUES (1), (2), (150), (199)")
		}
		s.everywhere("SELECT name, sum(n) FROM sums GROUP BY name ORDER BY name", "-\t3\nlate\t3\nn1\t3\nn2\t3\n")
		must(t, s.nodes["node-3"], "ALTER TABLE facts UPDATE by = dictGet('dict', 'name', id) WHERE dictHas('dict', id)")
		s.everywhere("SELECT count(), countIf(by = dictGet('dict', 'name', id)) FROM facts WHERE by != ''", "111\t111\n")

		must(t, s.nodes["node-3"], "DROP DICTIONARY dict")
		time.Sleep(time.Second)
		for name, node := range s.nodes {
			if got := must(t, node, "SELECT count() FROM system.dictionaries WHERE name = 'dict'"); got != "0\n" {
				t.Errorf("%s has the dictionary that was dropped", name)
			}
		}
	})
}
