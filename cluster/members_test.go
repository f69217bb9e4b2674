package cluster

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/internal/catalog"
)

// TestFoundedIsToldAgain: a founder that had opened its replica, and could not tell the meta group so, tells it later. Until then nobody joins the group.
func TestFoundedIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t)
		defer s.close()
		n := s.start(FirstNode)
		must(t, n.Found(t.Context(), Founding{Cluster: "test", Shards: 1, Replicas: 2}))
		_, err := n.meta.ChangeTopology(t.Context(), func(top *Topology) (bool, error) { // as it is when the change did not come through
			top.Shards[0].Founded = false
			return false, nil
		})
		must(t, err)
		s.join(FirstNode)
		s.eventually("two voters of the shard", func() bool { return len(s.voters(1)) == 2 })
	})
}

// TestVotersComeAtOnce: of two voters neither may be lost, so a meta group that grows to three is one of two for moments only, also while the
// catalog changes all the time.
func TestVotersComeAtOnce(t *testing.T) {
	t.Run("quiet", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { votersCome(t, false) }) })
	t.Run("busy", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { votersCome(t, true) }) })
}

func votersCome(t *testing.T, busy bool) {
	s := newSeveral(t)
	defer s.close()
	n := s.start(FirstNode)
	must(t, n.Found(t.Context(), Founding{Cluster: "test", Shards: 1, Replicas: 3}))
	s.join(FirstNode)
	s.join(FirstNode)
	done, changed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(changed)
		for i := 0; busy; i++ {
			select {
			case <-done:
				return
			case <-time.After(30 * time.Millisecond):
			}
			_, err := n.Meta().Change(t.Context(), func(c *catalog.Catalog) (*catalog.Catalog, error) {
				return c.WithTables(testTable(fmt.Sprint("t", i)))
			})
			if err != nil {
				t.Error(err)
				return
			}
		}
	}()
	var two time.Duration
	const look = 5 * time.Millisecond
	s.eventually("three voters", func() bool {
		for range 20 {
			switch len(s.voters(metaGroup)) {
			case 2:
				two += look
			case 3:
				return true
			}
			time.Sleep(look)
		}
		return false
	})
	close(done)
	<-changed
	if two > 200*time.Millisecond {
		t.Errorf("for %s the meta group had two voters, though three nodes were there", two)
	}
}
