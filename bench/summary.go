package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/olapd/olapd/test/oracle"
)

// The passes over the queries.
const (
	passWarm      = "warm"
	passCached    = "warm, condition caches on"
	passCold      = "cold"
	passOneThread = "one thread"
)

var passes = []string{passWarm, passCached, passCold, passOneThread}

// slowRatio is from where on a query is listed as slow.
const slowRatio = 1.5

// passSummary is what a pass comes to.
type passSummary struct {
	Geometric map[string]float64 `json:"geometric_mean_ms"`
	Better    float64            `json:"better_peer_geometric_mean_ms"`
	Ratio     float64            `json:"ratio"` // geometric mean of olapd's ratios to the better peer
	Fastest   map[string]int     `json:"fastest"`
	Slow      []string           `json:"slow,omitempty"` // slower than slowRatio, worst first
}

// times returns an engine's milliseconds in a pass; nil if it was not measured.
func (r *record) times(pass, engine string) []float64 {
	p := r.Engines[engine]
	if p == nil {
		return nil
	}
	ms := p.Warm.Median
	switch {
	case pass == passCold:
		ms = p.Cold
	case pass == passOneThread:
		ms = p.OneThread.Median
	case pass == passCached && p.Cached.Median != nil:
		ms = p.Cached.Median
	}
	if len(ms) != r.suite.queries {
		return nil
	}
	return ms
}

// betterPeer returns the time of the better peer for query index q, or failed.
func (r *record) betterPeer(pass string, q int) float64 {
	best := float64(failed)
	for _, n := range []string{oracle.ClickHouse, oracle.DuckDB} {
		if ms := r.times(pass, n); ms != nil && ms[q] >= 0 && (best < 0 || ms[q] < best) {
			best = ms[q]
		}
	}
	return best
}

// ratio returns olapd's time in terms of the better peer's, or failed if one of them is.
func (r *record) ratio(pass string, q int) float64 {
	ours, peer := r.times(pass, "olapd"), r.betterPeer(pass, q)
	if ours == nil || ours[q] < 0 || peer < 0 {
		return failed
	}
	return max(ours[q], clockStep) / max(peer, clockStep)
}

// clockStep, in milliseconds, is the least that counts as a time.
const clockStep = 0.001

func (r *record) summarize() map[string]passSummary {
	out := map[string]passSummary{}
	for _, pass := range passes {
		if s, ok := r.summarizePass(pass); ok {
			out[pass] = s
		}
	}
	return out
}

func (r *record) summarizePass(pass string) (s passSummary, ok bool) {
	s = passSummary{Geometric: map[string]float64{}, Fastest: map[string]int{}}
	for _, n := range engineNames {
		if ms := r.times(pass, n); ms != nil {
			s.Geometric[n] = geometricMean(ms)
		}
	}
	if pass == passCached && r.times(pass, oracle.ClickHouse) == nil {
		return s, false
	}
	better, ratios := make([]float64, r.suite.queries), make([]float64, r.suite.queries)
	for q := range ratios {
		better[q], ratios[q] = r.betterPeer(pass, q), r.ratio(pass, q)
		if n := r.fastest(pass, q); n != "" {
			s.Fastest[n]++
		}
	}
	s.Better, s.Ratio, s.Slow = geometricMean(better), geometricMean(ratios), slow(ratios)
	return s, len(s.Geometric) > 0
}

// fastest returns the engine that was the fastest on query index q.
func (r *record) fastest(pass string, q int) (name string) {
	best := math.Inf(1)
	for _, n := range engineNames {
		if ms := r.times(pass, n); ms != nil && ms[q] >= 0 && ms[q] < best {
			name, best = n, ms[q]
		}
	}
	return name
}

func slow(ratios []float64) (list []string) {
	order := make([]int, len(ratios))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(ratios[b], ratios[a]) })
	for _, q := range order {
		if ratios[q] > slowRatio {
			list = append(list, fmt.Sprintf("q%d %.2f", q+1, ratios[q]))
		}
	}
	return list
}

// geometricMean leaves out failed queries; 0 if all are.
func geometricMean(ms []float64) float64 {
	var sum float64
	n := 0
	for _, t := range ms {
		if t >= 0 {
			sum += math.Log(max(t, clockStep))
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return math.Exp(sum / float64(n))
}

// summaryTable has a row per pass.
func (r *record) summaryTable() string {
	t := table{header: []string{"geometric mean, ms"}}
	names := r.names()
	for _, n := range names {
		t.header = append(t.header, titles[n])
	}
	t.header = append(t.header, "better peer", "ratio to it", "olapd fastest on", "slower than 1.5 ×")
	for _, pass := range passes {
		s, ok := r.Summary[pass]
		if !ok {
			continue
		}
		row := []string{pass}
		for _, n := range names {
			row = append(row, fmt.Sprintf("%.2f", s.Geometric[n]))
		}
		if s.Ratio == 0 { // nobody to compare with
			t.add(append(row, "", "", "", "")...)
			continue
		}
		t.add(append(row, fmt.Sprintf("%.2f", s.Better), fmt.Sprintf("%.2f", s.Ratio),
			fmt.Sprintf("%d of %d", s.Fastest["olapd"], r.suite.queries), fmt.Sprint(len(s.Slow)))...)
	}
	return t.String()
}
