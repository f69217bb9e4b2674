package exec

import "math"

// swapFactor is by how much a join's left side must be smaller for it to be the one in memory: estimates are rough, and
// the right side is where those who write queries expect the smaller one.
const swapFactor = 2

// estimate guesses the rows that an operator yields, from what scans plan to read once they are open: math.MaxInt64 / swapFactor
// if nothing is known.
func estimate(op Operator) int64 {
	const unknown = math.MaxInt64 / swapFactor
	switch op := op.(type) {
	case *Scan:
		if op.scanner == nil {
			return unknown
		}
		return op.planned.Rows
	case *Values:
		return int64(op.Block.N)
	case *Limit:
		return atMost(op.n, estimate(op.inputs[0]))
	case *Sort:
		if op.limit > 0 {
			return atMost(op.limit, estimate(op.inputs[0]))
		}
		return estimate(op.inputs[0])
	case *Filter, *Project, *Distinct, *Aggregate: // no more than they read
		return estimate(op.Inputs()[0])
	}
	return unknown
}

func atMost(limit uint64, rows int64) int64 {
	if limit < uint64(rows) {
		return int64(limit)
	}
	return rows
}
