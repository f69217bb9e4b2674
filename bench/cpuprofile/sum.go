package cpuprofile

import (
	"cmp"
	"slices"
	"strings"
)

// Sum is what profiles come to.
type Sum struct {
	Nanoseconds int64  // of CPU
	Packages    []Line // by their own time, most first
	Functions   []Line // likewise
	// Collector is the share of the garbage collector: marking, by its workers and as assistance of those who allocate,
	// sweeping, scavenging, write barriers. Idle is the part of it that ran on processors that had nothing else to do.
	Collector, Idle float64
	// Allocation is the share of making objects, without the collector's part of it.
	Allocation float64
}

// Line is one row: Own is its share as the leaf of a stack, Total anywhere in one.
type Line struct {
	Name  string  `json:"name"`
	Own   float64 `json:"own"`
	Total float64 `json:"total"`
}

// Functions of the runtime below which the time belongs to the collector.
var (
	collectorRoots = []string{
		"runtime.gcBgMarkWorker", "runtime.gcAssistAlloc", "runtime.gcStart", "runtime.gcMarkDone", "runtime.gcMarkTermination",
		"runtime.bgsweep", "runtime.bgscavenge", "runtime.sweepone", "runtime.deductSweepCredit", "runtime.(*sweepLocked).sweep",
		"runtime.(*mheap).reclaim", "runtime.wbBufFlush", "runtime.gcDrain", "runtime.gcSweep", "runtime.gcWriteBarrier",
	}
	idleRoots       = []string{"runtime.gcDrainMarkWorkerIdle"}
	allocationRoots = []string{"runtime.mallocgc", "runtime.newobject", "runtime.makeslice", "runtime.growslice"}
)

// Add sums up stacks.
func Add(stacks []Stack) Sum {
	var s Sum
	packages, functions := map[string]*[2]int64{}, map[string]*[2]int64{}
	var collector, idle, allocation int64
	for _, st := range stacks {
		s.Nanoseconds += st.Nanoseconds
		count(functions, st.Functions, st.Nanoseconds, func(f string) string { return f })
		count(packages, st.Functions, st.Nanoseconds, Package)
		switch {
		case below(st.Functions, collectorRoots):
			collector += st.Nanoseconds
			if below(st.Functions, idleRoots) {
				idle += st.Nanoseconds
			}
		case below(st.Functions, allocationRoots):
			allocation += st.Nanoseconds
		}
	}
	if s.Nanoseconds == 0 {
		return s
	}
	all := float64(s.Nanoseconds)
	s.Collector, s.Idle, s.Allocation = float64(collector)/all, float64(idle)/all, float64(allocation)/all
	s.Packages, s.Functions = lines(packages, all), lines(functions, all)
	return s
}

// count adds the time of a stack to its leaf, and once to everything in it.
func count(to map[string]*[2]int64, stack []string, ns int64, name func(string) string) {
	seen := map[string]bool{}
	for i, f := range stack {
		n := name(f)
		if to[n] == nil {
			to[n] = new([2]int64)
		}
		if i == 0 {
			to[n][0] += ns
		}
		if !seen[n] {
			seen[n] = true
			to[n][1] += ns
		}
	}
}

func lines(from map[string]*[2]int64, all float64) (out []Line) {
	for name, ns := range from {
		out = append(out, Line{name, float64(ns[0]) / all, float64(ns[1]) / all})
	}
	slices.SortFunc(out, func(a, b Line) int {
		return cmp.Or(cmp.Compare(b.Own, a.Own), cmp.Compare(b.Total, a.Total), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// below reports whether one of the roots is in the stack.
func below(stack, roots []string) bool {
	return slices.ContainsFunc(stack, func(f string) bool {
		return slices.ContainsFunc(roots, func(root string) bool { return strings.HasPrefix(f, root) })
	})
}

// Package returns the import path of a function's package: github.com/a/b/c of
// github.com/a/b/c.(*T[...]).Method.
func Package(function string) string {
	name, _, _ := strings.Cut(function, "[") // type arguments hold paths, too
	slash := strings.LastIndexByte(name, '/')
	dot := strings.IndexByte(name[slash+1:], '.')
	if dot < 0 {
		return name
	}
	return name[:slash+1+dot]
}
