package node

import (
	"slices"

	"github.com/olapd/olapd/query/exec"
)

// Runs implements exec.Sequenced: each segment is in order, the memtable is not.
func (sc *scanner) Runs(desc bool, first, most int) []exec.Run {
	var out []exec.Run
	var rest exec.Run
	for ms := sc.mu.morsels; len(ms) > 0; {
		src, n := ms[0].src, 1
		for n < len(ms) && ms[n].src == src {
			n++
		}
		if src.inOrder(sc.order) {
			out = append(out, exec.Run{Sorted: true, Morsels: recut(ms[:n], desc, first, most)})
		} else {
			for i := range ms[:n] {
				rest.Morsels = append(rest.Morsels, &ms[i])
			}
		}
		ms = ms[n:]
	}
	if len(rest.Morsels) > 0 {
		out = append(out, rest)
	}
	return out
}

// inOrder reports whether the rows are sorted by a prefix of the sort key. They are not by columns whose values are computed anew.
func (s *source) inOrder(order []string) bool {
	if s.reader == nil {
		return false
	}
	key := s.reader.SortKey()
	if len(order) > len(key) || !slices.Equal(key[:len(order)], order) {
		return false
	}
	computed := slices.ContainsFunc(order, func(name string) bool { return s.spec.Columns.Index(name) < 0 })
	for i, f := range s.want {
		if s.at[i] < 0 && (computed || slices.Contains(order, f.Name)) {
			return false
		}
	}
	return true
}

// recut cuts morsels of one segment into such of first rows, doubling up to most, from the end that is read first; their ends stay those of granules.
func recut(ms []morsel, desc bool, first, most int) []exec.Morsel {
	granule := max(ms[0].src.reader.Meta().Granularity, 1)
	var out []exec.Morsel
	rows := first
	add := func(m morsel, from, to int) {
		m.from, m.to = from, to
		out = append(out, &m)
		rows = min(2*rows, most)
	}
	for i := range ms {
		m := ms[i]
		if desc {
			m = ms[len(ms)-1-i]
		}
		for from, to := m.from, m.to; from < to; {
			if desc {
				at := max(from, (to-1)/granule*granule-max(rows/granule-1, 0)*granule)
				add(m, at, to)
				to = at
			} else {
				at := min(to, (from/granule+max(rows/granule, 1))*granule)
				add(m, from, at)
				from = at
			}
		}
	}
	return out
}

// finalRuns is a finalScanner of tables that have the sort key that a request goes by.
type finalRuns struct{ *finalScanner }

// Runs implements exec.Sequenced: the rows of a shard are merged in order of the sort key, and known only then.
func (f finalRuns) Runs(bool, int, int) []exec.Run {
	var out []exec.Run
	for _, m := range f.mu.rows {
		out = append(out, exec.Run{Sorted: true, Next: m.next})
	}
	return out
}
