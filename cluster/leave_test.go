package cluster

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestLeave: a leader that is stopped hands over, so that writes go on at once; one whose others are gone stops all the same.
func TestLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, id := threeReplicas(t, fences{})
		defer s.close()
		defer s.net.HealAll()
		first := s.mustLead()
		name := s.leader(1).Name()
		_, err := first.Append(t.Context(), oneRow(s.nodes[name].Meta().Catalog(), id, 1))
		must(t, err)
		s.stop(name)
		stopped := time.Now()
		s.eventually("another leader", func() bool { return s.leader(1) != nil })
		if took := time.Since(stopped); took > 300*time.Millisecond {
			t.Errorf("nobody led for %s after a clean stop", took)
		}
		rest := s.leader(1).Name()
		for other := range s.nodes {
			if other != rest {
				s.net.Isolate(other)
			}
		}
		start := time.Now()
		s.stop(rest)
		if took := time.Since(start); took > leaveTimeout+drainTimeout {
			t.Errorf("a leader that nobody hears took %s to stop", took)
		}
	})
}
