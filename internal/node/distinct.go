package node

import (
	"context"
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query/virtual"
)

// distinct is what the largest segment of a table says of some of its columns. It opens no other: a query pays for it while it is planned.
func (n *Node) distinct(ctx context.Context, id catalog.TableID, columns []string) (virtual.Distinct, bool) {
	out := virtual.Distinct{Values: make([]uint64, len(columns))}
	for _, s := range n.cluster.Shards() {
		snap := s.Now()
		if v := snap.Table(id); v != nil {
			out.Rows += v.Rows()
			n.largerSegment(ctx, id, v, columns, &out)
		}
		snap.Close()
	}
	return out, out.SegmentRows > 0
}

// largerSegment takes what the largest segment of a shard's table says, if it is larger than the one known. One that is not on this node says nothing.
func (n *Node) largerSegment(ctx context.Context, id catalog.TableID, v *mergetree.TableView, columns []string, to *virtual.Distinct) {
	var largest *mergetree.SegmentHandle
	for _, h := range v.Segments() {
		if h.Rows > to.SegmentRows && (largest == nil || h.Rows > largest.Rows) {
			largest = h
		}
	}
	if largest == nil {
		return
	}
	r, err := largest.Open(ctx)
	if err != nil {
		return
	}
	to.SegmentRows = largest.Rows
	clear(to.Values)
	for i := range r.Meta().Columns {
		c := &r.Meta().Columns[i]
		if k := slices.Index(columns, n.shownName(id, c.Name)); k >= 0 {
			to.Values[k] = c.Distinct
		}
	}
	if err := r.Release(); err != nil {
		n.log.Warn("closing a segment", "segment", largest.ID, "error", err)
	}
}
