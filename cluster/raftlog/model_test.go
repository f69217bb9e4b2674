package raftlog

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/internal/vfs"
)

// state is what a group must hold: the model that stores are compared with.
type state struct {
	first   uint64
	entries []string
	keys    map[string]string
}

func (s state) clone() state {
	return state{s.first, slices.Clone(s.entries), maps.Clone(s.keys)}
}

func (s state) last() uint64 { return s.first + uint64(len(s.entries)) - 1 }

func (s state) String() string {
	var b strings.Builder
	for i, e := range s.entries {
		fmt.Fprintf(&b, "%d=%s ", s.first+uint64(i), e)
	}
	for _, k := range slices.Sorted(maps.Keys(s.keys)) {
		fmt.Fprintf(&b, "%s:%s ", k, s.keys[k])
	}
	return b.String()
}

func entryText(e *raft.Log) string {
	return fmt.Sprintf("%d/%d/%s/%s/%d", e.Term, e.Type, e.Data, e.Extensions, e.AppendedAt.UnixNano())
}

// load reads a whole group.
func load(t testing.TB, g *GroupStore, keys ...string) state {
	t.Helper()
	first, _ := g.FirstIndex()
	last, _ := g.LastIndex()
	s := state{keys: map[string]string{}}
	if last != 0 {
		s.first = first
		for i := first; i <= last; i++ {
			var e raft.Log
			if err := g.GetLog(i, &e); err != nil {
				t.Fatalf("group %d entry %d of %d to %d: %v", g.ID(), i, first, last, err)
			}
			if e.Index != i {
				t.Fatalf("group %d entry %d has index %d", g.ID(), i, e.Index)
			}
			s.entries = append(s.entries, entryText(&e))
		}
	}
	for _, k := range keys {
		v, err := g.Get([]byte(k))
		if err != nil {
			t.Fatal(err)
		}
		if len(v) > 0 {
			s.keys[k] = string(v)
		}
	}
	return s
}

var modelKeys = []string{"term", "vote"}

// step is one random operation on a store and on its model.
type step struct {
	name  string
	store func(*GroupStore) error
	model func(*state)
}

// nextStep draws an operation that fits what the group holds.
func nextStep(rng *rand.Rand, s state, term uint64) step {
	switch n := rng.IntN(20); {
	case n < 12 || len(s.entries) == 0:
		return storeStep(rng, s, term)
	case n < 14: // Raft compacts a prefix
		max := s.first + rng.Uint64N(uint64(len(s.entries)))
		return step{"compact", func(g *GroupStore) error { return g.DeleteRange(s.first, max) },
			func(m *state) { m.cut(max+1, m.last()) }}
	case n < 16: // a new leader replaces a suffix
		min := s.last() - rng.Uint64N(uint64(min(len(s.entries), 3)))
		last := s.last()
		return step{"truncate", func(g *GroupStore) error { return g.DeleteRange(min, last) },
			func(m *state) { m.cut(m.first, min-1) }}
	case n == 16:
		return step{"drop", func(g *GroupStore) error { return g.Drop() },
			func(m *state) { *m = state{keys: map[string]string{}} }}
	default:
		key, value := modelKeys[rng.IntN(len(modelKeys))], fmt.Sprint(rng.IntN(1000))
		return step{"set", func(g *GroupStore) error { return g.Set([]byte(key), []byte(value)) },
			func(m *state) { m.keys[key] = value }}
	}
}

func storeStep(rng *rand.Rand, s state, term uint64) step {
	next := s.last() + 1
	if len(s.entries) == 0 {
		next = 1 + rng.Uint64N(100)
	}
	var logs []*raft.Log
	for range 1 + rng.IntN(4) {
		e := &raft.Log{Index: next, Term: term, Type: raft.LogType(rng.IntN(3)), Data: randomBytes(rng, 200)}
		if rng.IntN(3) == 0 {
			e.Extensions = randomBytes(rng, 20)
			e.AppendedAt = time.Unix(0, rng.Int64())
		}
		logs = append(logs, e)
		next++
	}
	return step{"store", func(g *GroupStore) error { return g.StoreLogs(logs) }, func(m *state) {
		if len(m.entries) == 0 {
			m.first = logs[0].Index
		}
		for _, e := range logs {
			m.entries = append(m.entries, entryText(e))
		}
	}}
}

// cut leaves entries from first to last.
func (s *state) cut(first, last uint64) {
	if first > last {
		s.first, s.entries = 0, nil
		return
	}
	s.entries = slices.Clone(s.entries[first-s.first : last-s.first+1])
	s.first = first
}

func randomBytes(rng *rand.Rand, most int) []byte {
	b := make([]byte, rng.IntN(most))
	for i := range b {
		b[i] = byte('a' + rng.IntN(26))
	}
	return b
}

// history runs random steps on some groups until a step fails or n are done. It returns what has
// been acknowledged, and beside it what would hold if the failed step had happened.
type history struct {
	acked, maybe []state
	err          error
}

func newHistory(groups int) history {
	h := history{}
	for range groups {
		h.acked = append(h.acked, state{keys: map[string]string{}})
	}
	return h
}

func (h *history) run(l *Log, seed uint64, n int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		id := rng.IntN(len(h.acked))
		if id > 0 && i%len(h.acked) != 0 && rng.IntN(3) > 0 {
			id = 0 // one busy group, so that idle ones hold back old files
		}
		st := nextStep(rng, h.acked[id], uint64(i+1))
		after := h.acked[id].clone()
		st.model(&after)
		if h.err = st.store(l.Group(uint64(id + 1))); h.err != nil {
			h.maybe = slices.Clone(h.acked)
			h.maybe[id] = after
			return
		}
		h.acked[id] = after
	}
	h.maybe = h.acked
}

// check compares an opened log with what may be there, and makes that the acknowledged state.
func (h *history) check(t *testing.T, l *Log) {
	t.Helper()
	for i := range h.acked {
		got := load(t, l.Group(uint64(i+1)), modelKeys...)
		if got.String() != h.acked[i].String() && got.String() != h.maybe[i].String() {
			t.Fatalf("group %d\n got   %v\n acked %v\n maybe %v", i+1, got, h.acked[i], h.maybe[i])
		}
		h.acked[i] = got
	}
	h.maybe = h.acked
}

func mustOpen(t testing.TB, fsys vfs.FS, opts Options) *Log {
	t.Helper()
	l, err := Open(fsys, "raft", opts)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var small = Options{SegmentBytes: minSegmentBytes, CacheBytes: 4096}
