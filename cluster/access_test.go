package cluster

import (
	"testing"

	"github.com/olapd/olapd/internal/access"
	"github.com/olapd/olapd/internal/catalog"
)

// TestAccessThroughEveryNode: users and roles can be made through nodes that do not lead the meta group, and all nodes have them.
func TestAccessThroughEveryNode(t *testing.T) {
	inCluster(t, 1, 3, func(t *testing.T, s *several, _ *catalog.Catalog, _ catalog.TableID) {
		for _, n := range s.nodes {
			_, err := n.Meta().ChangeAccess(t.Context(), func(a *access.State) (*access.State, error) { return a.With(&access.Role{Name: "made on " + n.Name()}) })
			must(t, err)
		}
		s.eventually("every node has all roles", func() bool {
			for _, n := range s.nodes {
				if len(n.Meta().Access().Roles()) != len(s.nodes) {
					return false
				}
			}
			return true
		})
	})
}
