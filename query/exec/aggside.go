package exec

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
)

// Counting distinct values beside other calls, as in count(DISTINCT user), sum(x) by region: rows are grouped by region and user first.
// Where the groups by region alone are few, the states of the other calls are better kept by them at once: each worker has
// a table of these beside the partitions, which then hold keys and nothing else.

// fewOuter is how many times fewer the groups of the second step must be for that.
const fewOuter = 4

// separate decides whether states are kept beside the partitions, by the groups of the first worker that needs these.
func (s *aggSet) separate(t *aggTable, words []uint64, groups int) error {
	if len(s.a.Unique) == 0 || len(s.calls) == 0 {
		return nil
	}
	out := s.outer()
	probe := newAggTable(out)
	if _, err := probe.outerIDs(s, words, groups); err != nil {
		return err
	}
	if n := probe.count(); n*fewOuter <= groups {
		s.out = out
	}
	return nil
}

// count is the number of groups there may be in the table.
func (t *aggTable) count() int {
	switch {
	case t.seen != nil:
		return len(t.seen)
	case t.index != nil:
		return t.index.Len()
	}
	return 1
}

// partStates are the states of a partition.
func (s *aggSet) partStates() []function.States {
	if s.out != nil {
		return nil
	}
	return s.newStates()
}

// makeSide moves the states of the n groups with the given keys, at positions sel or all, to a table beside the partitions.
func (t *aggTable) makeSide(words []uint64, sel []uint32, n int) error {
	side := newAggTable(t.set.out)
	side.worker = t.worker
	ids, err := side.outerIDs(t.set, words, n)
	if err != nil {
		return err
	}
	k := 0
	for i, c := range side.set.calls {
		if c.Unique {
			continue
		}
		if err := side.states[i].Merge(ids, t.states[k], sel); err != nil {
			return err
		}
		k++
	}
	t.side = side
	return side.account()
}

// addSide aggregates n rows, given as keys of the first step, except for what counts distinct values.
func (t *aggTable) addSide(from *aggSet, words []uint64, vals []column.Vector, n int) error {
	if t.set.keys == 0 {
		return t.set.feed(t.states, nil, vals, n)
	}
	ids, err := t.outerIDs(from, words, n)
	if err != nil {
		return err
	}
	if err := t.set.feed(t.states, ids, vals, n); err != nil {
		return err
	}
	return t.account()
}
