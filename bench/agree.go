package main

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/test/oracle"
)

// How the results of two engines are compared.
//
// Most queries end in ORDER BY of an aggregate and LIMIT: rows with an equal order key may
// come in any order, and at the limit engines may keep different ones. So of those queries
// only the order keys are compared, as a sequence; the others are compared whole, as sorted
// rows. Numbers agree up to a relative difference of floatTolerance: averages are sums of
// floating point numbers whose order depends on the threads.
const floatTolerance = 1e-9

// hitsTies maps a query's number to the positions, from the end if negative, of the result
// columns that its ORDER BY determines. Query 18 has LIMIT without ORDER BY: only the
// number of its rows is determined. Queries 24 and 25 order by EventTime, which is in the
// result only of the former.
var hitsTies = map[int][]int{
	9: {1}, 10: {2}, 11: {1}, 12: {2}, 13: {1}, 14: {1}, 15: {2}, 16: {1}, 17: {2}, 18: {}, 19: {3},
	22: {2}, 23: {3}, 24: {4}, 25: {}, 28: {1}, 29: {1}, 31: {2}, 32: {2}, 33: {2}, 34: {1}, 35: {2}, 36: {4},
	37: {1}, 38: {1}, 39: {1}, 40: {5}, 41: {2}, 42: {2},
}

// hitsSameMeaning reports whether query q of hits means the same to two engines. AVG(UserID), query 4,
// does not: ClickHouse adds Int64 values in 64 bits and wraps around, DuckDB does not.
func hitsSameMeaning(q int, a, b string) bool {
	return q != 4 || (a == oracle.DuckDB) == (b == oracle.DuckDB)
}

// agree reports whether two results of query number q (from 1) are the same as far as the
// query determines them.
func agree(ties map[int][]int, q int, a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	keys, tied := ties[q]
	a, b = slices.Clone(a), slices.Clone(b)
	if !tied {
		slices.Sort(a)
		slices.Sort(b)
	}
	for i := range a {
		x, y := strings.Split(a[i], "\t"), strings.Split(b[i], "\t")
		if len(x) != len(y) {
			return false
		}
		if tied {
			x, y = pick(x, keys), pick(y, keys)
		}
		if !slices.EqualFunc(x, y, equalField) {
			return false
		}
	}
	return true
}

// pick returns the fields at the given positions.
func pick(fields []string, at []int) []string {
	var out []string
	for _, i := range at {
		out = append(out, fields[i])
	}
	return out
}

func equalField(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && math.Abs(x-y) <= floatTolerance*max(math.Abs(x), math.Abs(y))
}
