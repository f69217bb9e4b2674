package node

import (
	"strings"
	"testing"
)

// TestClusterFunctions reads tables of all nodes of a cluster, stored ones and those that tell of a node.
func TestClusterFunctions(t *testing.T) {
	s := newSeveral(t, 3, 3, 2)
	n := s.nodes["node-1"]
	must(t, n, "CREATE TABLE t (k UInt32, s String, al UInt32 ALIAS k + 1) ENGINE = MergeTree ORDER BY k")
	s.eventually("rows are written", func() bool { // a leader that hands over may not know the outcome
		_, err := run(t, n, "INSERT INTO t SELECT number, toString(number) FROM numbers(1000)", "insert_deduplication_token", "rows")
		return err == nil
	})
	must(t, n, "CREATE USER reader IDENTIFIED WITH no_password")
	must(t, s.nodes["node-2"], "SELECT 'asked of node-2'")
	for _, c := range []struct{ sql, want string }{
		{"SELECT count(), sum(k), sum(al) FROM cluster('default', default.t)", "1000\t499500\t500500\n"},
		{"SELECT count(), sum(k) FROM cluster(default, default, t, rand())", "1000\t499500\n"},
		{"SELECT count() FROM cluster('default', 'default.t') WHERE k = 7", "1\n"},
		{"SELECT count(), uniqExact(k) FROM clusterAllReplicas('default', default.t)", "2000\t1000\n"},
		{"SELECT * FROM cluster('default', default.t) WHERE k = 7", "7\t7\n"},
		{"SELECT count() FROM clusterAllReplicas('default', system.one)", "3\n"},
		{"SELECT dummy, _node FROM clusterAllReplicas('default', 'system', 'one') ORDER BY _node", "0\tnode-1\n0\tnode-2\n0\tnode-3\n"},
		{"SELECT * FROM clusterAllReplicas('default', system.one)", "0\n0\n0\n"},
		{"SELECT count() FROM clusterAllReplicas('default')", "3\n"},
		{"SELECT sum(number), count() FROM (SELECT number FROM clusterAllReplicas('default', system.numbers) LIMIT 100)", "4950\t100\n"},
		{"SELECT DISTINCT _node FROM clusterAllReplicas('default', system.query_log) WHERE query = 'SELECT ''asked of node-2'''", "node-2\n"},
		{"SELECT count() = (SELECT count() * 3 FROM system.formats) FROM clusterAllReplicas('default', system.formats)", "1\n"},
		{"SELECT count() BETWEEN 1 AND 3 FROM cluster('default', system.one)", "1\n"},
	} {
		if got := must(t, n, c.sql); got != c.want {
			t.Errorf("%s: got %q, want %q", c.sql, got, c.want)
		}
	}
	s.stop("node-3")
	sql := "SELECT _node FROM clusterAllReplicas('default', system.one) ORDER BY _node"
	if _, err := run(t, n, sql); err == nil || !strings.Contains(err.Error(), "node-3") {
		t.Errorf("with a node down: %v", err)
	}
	if got := must(t, n, sql, "skip_unavailable_shards", "1"); got != "node-1\nnode-2\n" {
		t.Errorf("without the node that is down: %q", got)
	}
}

// TestClusterFunctionsAsUser holds what users see of other nodes to their privileges there.
func TestClusterFunctionsAsUser(t *testing.T) {
	s := newSeveral(t, 2, 2, 1)
	must(t, s.nodes["node-1"], "CREATE USER reader IDENTIFIED WITH no_password")
	must(t, s.nodes["node-1"], "CREATE ROLE sources")
	must(t, s.nodes["node-1"], "GRANT REMOTE ON *.* TO sources")
	must(t, s.nodes["node-1"], "GRANT CREATE TEMPORARY TABLE ON *.* TO reader")
	s.everywhere("SELECT count() FROM system.users WHERE name = 'reader'", "1\n")
	ones := "SELECT count() FROM clusterAllReplicas('default', system.one)"
	if got := as(t, s.nodes["node-1"], "reader", ones); !strings.Contains(got, "REMOTE") {
		t.Errorf("without the privilege: %s", got)
	}
	must(t, s.nodes["node-1"], "GRANT sources TO reader")
	s.eventually("the role is known and its privilege holds", func() bool { return as(t, s.nodes["node-1"], "reader", ones) == "2\n" })
	if got := as(t, s.nodes["node-1"], "reader", "SELECT count() FROM clusterAllReplicas('default', system.query_log)"); !strings.Contains(got, "privileges") {
		t.Errorf("the query log of other nodes may be read without a privilege: %s", got)
	}
}
