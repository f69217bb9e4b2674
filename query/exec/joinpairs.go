package exec

import (
	"slices"
	"sort"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/query/exec/grouping"
	"github.com/olapd/olapd/query/plan"
)

// pairs are rows of the left block and of the side in memory, as many of each.
type pairs struct {
	left  []uint32 // nil: every row of the block, in order
	right []uint32
}

// lefts returns the rows of the left block, which has n.
func (p pairs) lefts(n int) []uint32 {
	if p.left != nil || len(p.right) == 0 {
		return p.left
	}
	return countUp(n)
}

// at returns the pairs at the places sel.
func (p pairs) at(sel []uint32) pairs {
	out := pairs{left: sel, right: rowsAt(p.right, sel)}
	if p.left != nil {
		out.left = rowsAt(p.left, sel)
	}
	return out
}

// rowsAt returns rows[i] of each i of sel.
func rowsAt(rows, sel []uint32) []uint32 {
	out := make([]uint32, len(sel))
	kernel.Gather(out, rows, sel)
	return out
}

// countUp returns 0, 1 … n-1.
func countUp(n int) []uint32 {
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(i)
	}
	return out
}

// pairs lists the next candidate pairs, about a block of them.
func (s *joinStream) pairs() pairs {
	t := s.g.t
	limit := s.g.r.opts.MaxBlockSize
	switch {
	case t.keys == nil:
		return s.crossPairs(limit)
	case s.g.j.Strictness == plan.Asof:
		return s.asofPairs(limit)
	case t.unique:
		return s.uniquePairs(limit)
	}
	return s.keyPairs(limit)
}

// crossPairs are the pairs of a join without keys.
func (s *joinStream) crossPairs(limit int) pairs {
	all := s.g.t.rows.N
	if all == 0 {
		s.row = s.left.N
		return pairs{}
	}
	n := min(limit, (s.left.N-s.row)*all-s.at) // the block's rows and those in memory are below 2³² each
	p := pairs{make([]uint32, n), make([]uint32, n)}
	for i := range n {
		p.left[i], p.right[i] = uint32(s.row), uint32(s.at)
		if s.at++; s.at == all {
			s.row, s.at = s.row+1, 0
		}
	}
	return p
}

// asofPairs are the pairs of an ASOF join: of each row at most one.
func (s *joinStream) asofPairs(limit int) pairs {
	t, end := s.g.t, min(s.left.N, s.row+limit)
	p := pairs{make([]uint32, 0, end-s.row), make([]uint32, 0, end-s.row)}
	for ; s.row < end; s.row++ {
		id := s.ids[s.row]
		if id == grouping.Missing {
			continue
		}
		for _, r := range s.nearest(s.row, t.order[t.starts[id]:t.starts[id+1]]) {
			p.left, p.right = append(p.left, uint32(s.row)), append(p.right, r)
		}
	}
	return p
}

// uniquePairs are the pairs where every key is one row's.
func (s *joinStream) uniquePairs(limit int) pairs {
	from, end := s.row, min(s.left.N, s.row+limit)
	s.row = end
	partners := s.ids[from:end]
	if order := s.g.t.order; order != nil {
		partners = make([]uint32, end-from)
		for i, id := range s.ids[from:end] {
			partners[i] = grouping.Missing
			if id != grouping.Missing {
				partners[i] = order[id]
			}
		}
	}
	rows, ids := make([]uint32, end-from), make([]uint32, end-from)
	n := 0
	for i, id := range partners { // without a branch
		rows[n], ids[n] = uint32(from+i), id
		if id != grouping.Missing {
			n++
		}
	}
	p := pairs{rows[:n], ids[:n]}
	if n == s.left.N {
		p.left = nil
	}
	return p
}

// pairBatch is for how many rows the places of their partners are looked up at once, which then do not wait for each other's memory.
const pairBatch = 256

// keyPairs are the pairs where keys may be of several rows.
func (s *joinStream) keyPairs(limit int) pairs {
	t := s.g.t
	guess := min(limit, s.left.N-s.row) // most often a row has a partner or none
	if s.at > 0 {                       // but this one had more than there was room for
		guess = limit
	}
	p := pairs{make([]uint32, 0, guess), make([]uint32, 0, guess)}
	var from, to [pairBatch]uint32
	for s.row < s.left.N && len(p.left) < limit {
		ids := s.ids[s.row:min(s.row+pairBatch, s.left.N)]
		for i, id := range ids {
			from[i], to[i] = 0, 0
			if id != grouping.Missing {
				from[i], to[i] = t.starts[id], t.starts[id+1]
			}
		}
		if s.g.first {
			for i := range ids {
				to[i] = min(to[i], from[i]+1)
			}
		}
		for i := range ids {
			rest := t.order[from[i]+uint32(s.at) : to[i]]
			room := min(len(rest), limit-len(p.left))
			if room > longRun {
				p.appendRun(uint32(s.row), rest[:room], limit)
			} else {
				for _, r := range rest[:room] {
					p.left, p.right = append(p.left, uint32(s.row)), append(p.right, r)
				}
			}
			if room < len(rest) {
				s.at += room
				return p
			}
			s.row, s.at = s.row+1, 0
		}
	}
	return p
}

// longRun is how many partners of one row are copied at once rather than one by one.
const longRun = 16

// appendRun adds the pairs of row left with each of right; limit is how many there will be at most, for which there is room from the first run that
// there is none for.
func (p *pairs) appendRun(left uint32, right []uint32, limit int) {
	from := len(p.left)
	if cap(p.left)-from < len(right) {
		p.left = slices.Grow(p.left, limit-from)
		p.right = slices.Grow(p.right, limit-from)
	}
	p.left = p.left[:from+len(right)]
	run := p.left[from:]
	for i := range run {
		run[i] = left
	}
	p.right = append(p.right, right...)
}

// nearest returns the one row that an ASOF join pairs with left row i: rows ascend by the inequality's column.
func (s *joinStream) nearest(i int, rows []uint32) []uint32 {
	cmp := func(k int) int { return column.Compare(s.g.t.asof, int(rows[k]), s.asofKey, i) }
	at := -1
	switch s.g.j.AsofOp {
	case "greaterOrEquals": // left ≥ right: the last not above
		at = sort.Search(len(rows), func(k int) bool { return cmp(k) > 0 }) - 1
	case "greater":
		at = sort.Search(len(rows), func(k int) bool { return cmp(k) >= 0 }) - 1
	case "lessOrEquals": // left ≤ right: the first not below
		at = sort.Search(len(rows), func(k int) bool { return cmp(k) >= 0 })
	default:
		at = sort.Search(len(rows), func(k int) bool { return cmp(k) > 0 })
	}
	if at < 0 || at >= len(rows) {
		return nil
	}
	return rows[at : at+1]
}

// choose notes who found a partner and returns the pairs that the join yields.
func (s *joinStream) choose(p pairs) pairs {
	j, used := s.g.j, s.g.t.used
	lrows := p.lefts(s.left.N)
	if j.Kind == plan.Left && j.Strictness != plan.Any {
		for _, lr := range lrows {
			s.matched[lr] = 1
		}
		return p
	}
	l, r := make([]uint32, 0, len(lrows)), make([]uint32, 0, len(lrows))
	for i, lr := range lrows {
		rr := p.right[i]
		first := s.matched[lr] == 0
		fresh := true // the right row's first partner
		take := true
		switch {
		case j.Kind == plan.Anti || j.Kind == plan.RightAnti:
			take = false
		case j.Kind == plan.Semi, j.Kind == plan.Left && j.Strictness == plan.Any:
			take = first
		case j.Kind == plan.Inner && j.Strictness == plan.Any:
			take = first
		}
		if used != nil && (take || j.Kind == plan.RightAnti) {
			fresh = used[rr].CompareAndSwap(0, 1)
		}
		switch {
		case j.Kind == plan.RightSemi, j.Strictness == plan.Any && (j.Kind == plan.Right || j.Kind == plan.Inner):
			take = take && fresh
		}
		s.matched[lr] = 1
		if take {
			l, r = append(l, lr), append(r, rr)
		}
	}
	return pairs{l, r}
}

func (s *joinStream) pairBlock(p pairs) *column.Block {
	left, right := s.left, s.g.t.rows
	lrows, rrows := p.left, p.right
	if len(rrows) == 0 {
		lrows, rrows = []uint32{}, []uint32{}
	}
	if s.g.swapped {
		left, right, lrows, rrows = right, left, rrows, lrows
	}
	j := s.g.j
	cols := append(gatherUsed(left.Cols, lrows, j.Used[:j.LeftWidth]), gatherUsed(right.Cols, rrows, j.Used[j.LeftWidth:])...)
	return &column.Block{Cols: cols, N: len(p.right)}
}

// gatherUsed gathers the values at rows, nil for all, of the columns that are used.
func gatherUsed(cols []column.Vector, rows []uint32, used []bool) []column.Vector {
	out := make([]column.Vector, len(cols))
	for i, v := range cols {
		switch {
		case !used[i] || v == nil:
		case rows == nil:
			out[i] = v
		default:
			out[i] = column.Gather(v, rows)
		}
	}
	return out
}
