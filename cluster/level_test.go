package cluster

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/cluster/identity"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
)

// oldCluster is three nodes of builds of a level.
func oldCluster(t *testing.T, level feature.Level) *several {
	s := newSeveral(t)
	behind := int(feature.Current - level)
	s.behind = map[string]int{"node-1": behind, "node-2": behind, "node-3": behind}
	must(t, s.start(FirstNode).Found(t.Context(), Founding{Cluster: "test", Replicas: 3}))
	s.join(FirstNode)
	s.join(FirstNode)
	s.eventually("three voters", func() bool { return len(s.voters(metaGroup)) == 3 && len(s.voters(1)) == 3 })
	return s
}

// replace restarts a node with another build.
func (s *several) replace(name string, behind int) {
	s.t.Helper()
	s.stop(name)
	s.behind[name] = behind
	s.start(name)
}

// level waits until all nodes know of the level.
func (s *several) level(want feature.Level) {
	s.t.Helper()
	s.eventually("the level is risen", func() bool {
		for _, n := range s.nodes {
			if n.Level() != want {
				return false
			}
		}
		return true
	})
}

// stays lets time pass, in which the level must not change.
func (s *several) stays(want feature.Level, while string) {
	s.t.Helper()
	time.Sleep(30 * time.Second)
	for name, n := range s.nodes {
		if n.Level() != want {
			s.t.Fatalf("%s: %s takes the cluster's level for %d, not %d", while, name, n.Level(), want)
		}
	}
}

// TestLevelRises: the level rises when the last node has a build that has it, not before; a node may go back until then, and not afterwards.
func TestLevelRises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oldCluster(t, feature.Current-1)
		defer s.close()
		old := feature.Current - 1
		s.stays(old, "all builds are old")
		s.replace("node-1", 0)
		s.replace("node-2", 0)
		s.stays(old, "one build is old")
		s.replace("node-1", 1) // back
		s.replace("node-3", 0)
		s.stays(old, "another build is old")
		s.stop("node-1")
		s.stays(old, "a node cannot be asked")
		s.behind["node-1"] = 0
		s.start("node-1")
		s.level(feature.Current)

		s.stop("node-3")
		s.behind["node-3"] = 1
		if _, err := Open(t.Context(), s.config("node-3")); !sqlerr.Is(err, sqlerr.UnsupportedMethod) {
			t.Fatalf("an old build opens what a new one has used: %v", err)
		}
		s.net.Kill("node-3")
		must(t, s.nodes["node-1"].Meta().Compact())
		s.replace("node-1", 0)
		s.stop("node-1")
		s.behind["node-1"] = 1
		if _, err := Open(t.Context(), s.config("node-1")); !sqlerr.Is(err, sqlerr.UnsupportedMethod) {
			t.Fatalf("an old build opens a Raft snapshot of a higher level: %v", err)
		}
		s.net.Kill("node-1")
		for _, name := range []string{"node-1", "node-3"} {
			s.behind[name] = 0
			s.start(name)
		}
		s.level(feature.Current)
	})
}

// TestLevelOfLost: a node that is lost does not hold the level up.
func TestLevelOfLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oldCluster(t, feature.Current-1)
		defer s.close()
		s.replace("node-1", 0)
		s.replace("node-2", 0)
		s.stop("node-3")
		must(t, s.leader(metaGroup).Meta().SetState(t.Context(), "node-3", Lost))
		s.eventually("the level rises without a lost node", func() bool { return s.nodes["node-1"].Level() == feature.Current })
	})
}

// TestLevelOfJoining: a node of an older build than the cluster's level is refused, and its token is not redeemed.
func TestLevelOfJoining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t)
		defer s.close()
		n := s.start(FirstNode)
		ca, key, err := identity.NewAuthority("test", time.Now())
		must(t, err)
		must(t, n.Found(t.Context(), Founding{Cluster: "test", Replicas: 1, CA: ca, CAKey: key}))
		s.level(feature.Current)
		m := n.Meta()
		token, err := m.Grant(t.Context())
		must(t, err)
		secret := strings.Split(token, ".")[2]
		if _, err := m.Admit(t.Context(), secret, "memory", feature.Current-1); !sqlerr.Is(err, sqlerr.UnsupportedMethod) {
			t.Fatalf("an old build joins: %v", err)
		}
		_, err = m.Admit(t.Context(), secret, "memory", feature.Current+1)
		must(t, err)
		if got := n.Topology().Member("node-2").Level; got != feature.Current+1 || len(n.Topology().Nodes) != 2 {
			t.Fatalf("the node has joined with level %d: %+v", got, n.Topology().Nodes)
		}
	})
}

// TestLevelFalls: what builds without levels make of a topology, which leaves them out, is refused once there is one.
func TestLevelFalls(t *testing.T) {
	m := newMetaFSM(fences{}, feature.Current)
	old := newTopology().clone()
	if r := m.changeTopology(&topologyChange{old}); r.err != nil {
		t.Fatal(r.err)
	}
	raised := m.topology.clone()
	raised.Level = feature.Current
	if r := m.changeTopology(&topologyChange{raised}); !errors.Is(r.err, ErrConflict) {
		t.Fatalf("the level has risen by another entry than its own: %+v", r)
	}
	if r := m.raiseLevel(&levelRise{raised}); r.err != nil || m.topology.Level != feature.Current {
		t.Fatalf("%+v", r)
	}
	low := m.topology.clone()
	low.Level = 0
	if r := m.changeTopology(&topologyChange{low}); !errors.Is(r.err, ErrConflict) {
		t.Fatalf("the level has fallen: %+v", r)
	}
	if r := m.raiseLevel(&levelRise{low}); !errors.Is(r.err, ErrConflict) {
		t.Fatalf("the level has fallen by its own entry: %+v", r)
	}
	high := m.topology.clone()
	high.Level = feature.Current + 1
	if r := m.raiseLevel(&levelRise{high}); !sqlerr.Is(r.fatal, sqlerr.UnsupportedMethod) {
		t.Fatalf("a build goes on at a level that it does not have: %+v", r)
	}
}

// TestTablesOfLevels: what builds in the cluster do not know is in no table until the level has risen.
func TestTablesOfLevels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := oldCluster(t, feature.OwnTypes.Since()-1)
		defer s.close()
		add := func(name string, change func(*catalog.Table)) error {
			_, err := s.leader(metaGroup).Meta().Change(t.Context(), func(c *catalog.Catalog) (*catalog.Catalog, error) {
				table := testTable(name)
				change(table)
				return c.WithTables(table)
			})
			return err
		}
		json := func(t *catalog.Table) { t.Columns[1].Type = "Array(JSON)" }
		variant := func(t *catalog.Table) { t.Columns[1].Type = "Tuple(String, Variant(String, UInt8))" }
		dictionary := func(t *catalog.Table) { t.Kind = catalog.KindDictionary }
		refreshed := func(t *catalog.Table) { t.Kind, t.Refresh = catalog.KindRollup, &catalog.Refresh{} }
		for name, change := range map[string]func(*catalog.Table){"json": json, "variant": variant, "dictionary": dictionary, "refreshed": refreshed} {
			if err := add(name, change); !sqlerr.Is(err, sqlerr.NotImplemented) {
				t.Errorf("a table of %s among old builds: %v", name, err)
			}
		}
		must(t, add("plain", func(*catalog.Table) {}))
		for _, name := range []string{"node-1", "node-2", "node-3"} {
			s.replace(name, 0)
		}
		s.level(feature.Current)
		must(t, add("json", json))
		must(t, add("variant", variant))
	})
}
