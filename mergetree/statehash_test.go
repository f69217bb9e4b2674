package mergetree

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
)

// TestStateHash: replicas of one log have one hash, whatever batches they applied, however their state came to them, and whichever files they
// have; a row more, less, another or of another commit makes another.
func TestStateHash(t *testing.T) {
	ctx, r := context.Background(), rand.New(rand.NewPCG(3, 3))
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	for range 12 {
		m.insert(t, 1, randomRows(r, 1+r.IntN(15))...)
		if r.IntN(4) == 0 {
			must(t, m.s.Flush(ctx, m, 1))
		}
	}
	m.insert(t, 1, row{key: 1, text: "a"}, row{key: 2, text: "b"})
	want := m.s.Capture().Hash()
	f, g := newFollower(t), newFollower(t)
	f.follow(m.log)
	g.install(t, m.s, m.log, testSpec(1, Plain))
	for what, s := range map[string]*Store{"a follower": f.s, "a Raft snapshot": g.s} {
		if got := s.Capture().Hash(); got != want {
			t.Errorf("%s has %x, the leader %x", what, got, want)
		}
	}
	last := m.log[len(m.log)-1]
	for what, e := range map[string]entry{
		"none":    {},
		"less":    {table: 1, rows: last.rows.Slice(0, 1)},
		"more":    {table: 1, rows: testBlock([]row{{key: 1, text: "a"}, {key: 2, text: "b"}, {key: 2, text: "b"}})},
		"another": {table: 1, rows: testBlock([]row{{key: 1, text: "b"}, {key: 2, text: "a"}})},
	} {
		h := newFollower(t)
		h.follow(append(m.log[:len(m.log)-1:len(m.log)-1], e))
		if got := h.s.Capture().Hash(); got == want {
			t.Errorf("%s: the same hash", what)
		}
		must(t, h.s.Close())
	}
	late := newFollower(t)
	late.follow(append(m.log[:len(m.log)-1:len(m.log)-1], entry{}, last))
	if got := late.s.Capture().Hash(); got == want {
		t.Error("of a later commit: the same hash")
	}
	for _, s := range []*Store{f.s, g.s, late.s, m.s} {
		must(t, s.Close())
	}
}

// TestStateHashIsStored: the hash of a state must not change without StateHashVersion, or replicas of two builds stop each other.
func TestStateHashIsStored(t *testing.T) {
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	m.insert(t, 1, row{key: 1, text: "a", val: -2}, row{key: 2, text: "b", null: true})
	h := m.s.Capture().Hash()
	if got, want := hex.EncodeToString(h[:]), "a42e264e5b75d59339f6f9bdba6f02eb"; got != want || StateHashVersion != 1 {
		t.Errorf("hash %s of version %d, want %s of version 1", got, StateHashVersion, want)
	}
	must(t, m.s.Close())
}
