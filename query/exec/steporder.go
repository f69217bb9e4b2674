package exec

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// stepOrder is the order in which a scan's conditions are evaluated: by cost over the part of the rows that they drop, first as
// estimated, then as measured by all workers while they run. The steps are the positions in Preds and, behind them, the bound of a Sort and the filters of joins.
type stepOrder struct {
	stats  []stepStats
	now    atomic.Pointer[[]int]
	turns  atomic.Int64
	sorter atomic.Bool // held by who sorts anew
}

type stepStats struct {
	in, out, nanos atomic.Int64
	cost, pass     float64 // estimates: nanoseconds a row and part of the rows that pass
	fixed          bool    // it may fail: it stays behind the others, in the order written
}

// The estimates count as this many measured rows, and the order is looked at anew after so many morsels.
const (
	estimateRows = 16_384
	sortEvery    = 4
)

// A bound costs a comparison a row and, once there is one, drops nearly all rows.
const (
	boundCost = 0.5
	boundPass = 0.05
)

func newStepOrder(s *Scan) *stepOrder {
	n := len(s.Preds) + len(s.runtime)
	if s.Top != nil {
		n++
	}
	o := &stepOrder{stats: make([]stepStats, n)}
	for i, p := range s.Preds {
		o.stats[i].cost, o.stats[i].pass, o.stats[i].fixed = float64(p.Cost)/10, p.Pass, !p.Safe
	}
	for k := len(s.Preds); k < n; k++ {
		o.stats[k].cost, o.stats[k].pass = filterCost, filterPass
	}
	if s.Top != nil {
		o.stats[len(s.Preds)].cost, o.stats[len(s.Preds)].pass = boundCost, boundPass
	}
	o.sort()
	return o
}

// current returns the order; it must not be changed.
func (o *stepOrder) current() []int { return *o.now.Load() }

// record takes the measurement of a step over rows of a morsel, of which some are left.
func (o *stepOrder) record(k, rows, left int, nanos int64) {
	st := &o.stats[k]
	st.in.Add(int64(rows))
	st.out.Add(int64(left))
	st.nanos.Add(nanos)
	if len(o.stats) > 1 && o.turns.Add(1)%int64(sortEvery*len(o.stats)) == 0 && o.sorter.CompareAndSwap(false, true) {
		o.sort()
		o.sorter.Store(false)
	}
}

// rank is the cost of getting rid of a row.
func (st *stepStats) rank() float64 {
	in, out, nanos := float64(st.in.Load()), float64(st.out.Load()), float64(st.nanos.Load())
	cost := (nanos + st.cost*estimateRows) / (in + estimateRows)
	pass := (out + st.pass*estimateRows) / (in + estimateRows)
	const least = 1e-3 // a condition that drops nothing goes last, the cheapest of them first
	return cost / max(1-pass, least)
}

// passes is the measured part of the rows that pass a step; 1 before there is enough of it.
func (o *stepOrder) passes(k int) float64 {
	in := o.stats[k].in.Load()
	if in < estimateRows {
		return 1
	}
	return float64(o.stats[k].out.Load()) / float64(in)
}

// measured reports whether a step has seen enough rows for passes to hold of the others too.
func (o *stepOrder) measured(k int) bool { return o.stats[k].in.Load() >= 8*estimateRows }

func (o *stepOrder) sort() {
	order := make([]int, len(o.stats))
	ranks := make([]float64, len(o.stats))
	for i := range order {
		order[i], ranks[i] = i, o.stats[i].rank()
	}
	slices.SortStableFunc(order, func(x, y int) int {
		switch fx, fy := o.stats[x].fixed, o.stats[y].fixed; {
		case fx != fy:
			if fx {
				return 1
			}
			return -1
		case fx:
			return 0
		}
		return cmp.Compare(ranks[x], ranks[y])
	})
	o.now.Store(&order)
}
