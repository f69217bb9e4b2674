package exec

import (
	"context"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
)

// regroup is the second step of counting distinct values: the units are groups by the keys and the unique columns, each distinct
// row of which counts once in its group by the keys alone, and whose states merge into that group's. Where workers have those
// groups beside the partitions, they go on with them.
func (g *aggregation) regroup(ctx context.Context, from *aggSet, workers []*aggTable, units []groups) ([]groups, error) {
	set := from.out
	if set == nil {
		set = from.outer()
	}
	tables := make([]*aggTable, max(min(len(units), g.r.opts.Threads), 1, len(workers)))
	var next atomic.Int64
	err := g.r.parallel(ctx, len(tables), func(ctx context.Context, i int) error {
		var late aggFinisher
		t := newAggTable(set)
		t.worker = i
		if i < len(workers) && workers[i].side != nil {
			t = workers[i].side
		}
		tables[i] = t
		for k := int(next.Add(1)) - 1; k < len(units); k = int(next.Add(1)) - 1 {
			u, err := late.ready(ctx, units[k])
			if err != nil {
				return err
			}
			if err := t.addUnit(from, u); err != nil {
				return err
			}
			u.release()
			units[k] = groups{}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if t.seen != nil { // numbers given by then to all
			t.widen()
		}
	}
	u, err := mergeTables(ctx, tables)
	return []groups{u}, err
}

// outer is the set of the second step: all calls, the unique ones counting.
func (s *aggSet) outer() *aggSet {
	out := &aggSet{a: s.a, r: s.r, keys: len(s.a.Keys)} // its groups are fewer, and stay in memory
	out.enc = s.enc.First(out.keys)
	for _, c := range s.a.Calls {
		if c.Unique {
			c.Fn = function.CountRows()
		}
		out.calls = append(out.calls, c)
	}
	return out
}

// addUnit takes the groups of a unit.
func (t *aggTable) addUnit(from *aggSet, u groups) error {
	step := t.set.r.opts.MaxBlockSize
	for at := 0; at < u.n; at += step {
		to := min(at+step, u.n)
		if err := t.addGroups(from, u, at, to); err != nil {
			return err
		}
		if err := t.account(); err != nil {
			return err
		}
	}
	return nil
}

// addGroups takes groups [at, to) of a unit.
func (t *aggTable) addGroups(from *aggSet, u groups, at, to int) error {
	sel := u.present(at, to)
	words := u.words(at, to)
	if sel == nil {
		sel = make([]uint32, to-at)
		for i := range sel {
			sel[i] = uint32(i)
		}
	} else {
		words = from.enc.AppendRows(nil, words, sel)
	}
	ids, err := t.outerIDs(from, words, len(sel))
	if err != nil {
		return err
	}
	for i := range sel {
		sel[i] += uint32(at)
	}
	nulls := t.uniqueNulls(from, words)
	k := 0
	for i, c := range t.set.calls {
		if !c.Unique {
			if from.out == nil {
				if err := t.states[i].Merge(ids, u.states[k], sel); err != nil {
					return err
				}
			}
			k++
			continue
		}
		if err := t.states[i].Add(ids, nulls, len(sel)); err != nil {
			return err
		}
	}
	return nil
}

// outerIDs returns the group by the keys alone of each of n groups.
func (t *aggTable) outerIDs(from *aggSet, words []uint64, n int) ([]uint32, error) {
	t.ids = sized(t.ids, n)
	if t.set.keys == 0 {
		clear(t.ids)
		return t.ids, nil
	}
	words = from.enc.Narrow(t.enc, words)
	if t.seen == nil && t.numbered() && t.enc.Limit() <= idleNumbers*(n+t.index.Len()) {
		if err := t.byNumber(); err != nil {
			return nil, err
		}
	}
	if t.seen != nil {
		t.widen()
		for i, w := range words {
			t.ids[i] = uint32(w)
			t.seen[w] = 1
		}
		return t.ids, nil
	}
	var err error
	t.hashes, err = t.enc.InsertWords(t.index, words, t.hashes, t.ids)
	grow(t.states, t.index.Len())
	return t.ids, err
}

// uniqueNulls returns the argument that count needs to leave out rows with a NULL among the unique columns; nil if there can be none.
func (t *aggTable) uniqueNulls(from *aggSet, words []uint64) []column.Vector {
	var mask []uint8
	for i := t.set.keys; i < from.keys; i++ {
		nulls := from.enc.Nulls(i, words)
		if mask == nil {
			mask = nulls
			continue
		}
		for r, b := range nulls {
			mask[r] |= b
		}
	}
	if mask == nil {
		return nil
	}
	return []column.Vector{column.NewNullable(mask, &column.Const{Value: column.NewNum(types.TUInt8, []uint8{0}), N: len(mask)})}
}
