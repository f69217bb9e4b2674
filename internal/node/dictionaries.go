package node

import (
	"context"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/function"
)

// dictionaries are those of a catalog, for rows that are derived or changed outside of statements.
func (n *Node) dictionaries(ctx context.Context, c *catalog.Catalog) function.Dictionaries {
	return n.engine.Dictionaries(ctx, c, "default")
}

// startDictionaries begins to reload dictionaries as their lifetimes ask for.
func (n *Node) startDictionaries() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	meta := n.cluster.Meta()
	go func() {
		defer close(done)
		n.engine.RunDictionaries(ctx, func() (*catalog.Catalog, <-chan struct{}) {
			changed := meta.Changed() // before the catalog is read: no change is missed
			return meta.Catalog(), changed
		})
	}()
	n.stopped = func() {
		cancel()
		<-done
	}
}
