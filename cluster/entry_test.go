package cluster

import (
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// goldenBodies are one body of each kind, with every field set.
func goldenBodies() []body {
	ranges := []SourceRange{
		{Source: 7, Topic: "events", TopicID: TopicID{0xaa, 15: 0xbb}, Partition: 3, Start: 100, End: 110, First: 100, Last: 108},
		{Source: 7, Topic: "e", Partition: 4, Start: 50, End: 50, First: -1, Last: -1, Gap: true, Expect: NoOffset},
	}
	tokens := []Token{{Table: 1, ID: "token", Hash: [16]byte{1, 15: 2}}}
	table := testTable("a")
	table.ID = 1
	return []body{
		&beginTerm{node: "node-1"},
		&appendRows{ranges: ranges, tokens: tokens, rows: []TableRows{{1, testBlock(1, 2)}, {2, nil}}},
		&commitSegments{ranges: ranges[:1], tokens: tokens, edits: []mergetree.Edit{{Table: 1, Cause: mergetree.CauseFlush, From: 3, Watermark: 9,
			Add: []mergetree.Segment{{ID: "s1", Partition: "all", Rows: 5}}, Remove: []string{"s0"}}}},
		&dropSegments{tables: []catalog.TableID{1, 300}},
		&applySchema{tables: []*catalog.Table{table}, dropped: []catalog.TableID{2}},
		&dedupTrim{table: 1, before: 1_700_000_000_000_000_000},
		&moveSource{acquire: true, source: 7, topic: "events", partition: 3, next: 110},
		&moveSource{source: 7, topic: "events", partition: 3, next: 110},
		&moveStep{act: actArrive, move: 9, version: 40, edit: mergetree.Edit{Table: 1, Cause: mergetree.CauseMove, Add: []mergetree.Segment{{ID: "s1-m9-5", Partition: "all", Rows: 5}}}},
		&handTokens{table: 1, tokens: []remembered{{id: "3\x00token", hash: [16]byte{1, 15: 2}, time: 1_700_000_000_000_000_000}, {id: "3.5\x00t"}}},
		&catalogChange{catalog.Delta{From: 1, To: 2, NextID: 2, Tables: []*catalog.Table{table}, DroppedDatabases: []string{"d"}}},
		&levelRise{to: &Topology{Version: 9, Cluster: "shop", Replicas: 3, Nodes: []Member{{Name: "node-1", State: Active, Level: 1}}, NextNode: 2, Level: 1}},
	}
}

func goldenEntry(t testing.TB, b body) []byte {
	t.Helper()
	data, err := b.append(appendHeader(nil, header{kind: b.kind(), group: 1, term: 5, schema: 12, time: 1_700_000_000_000_000_000, request: 77}))
	must(t, err)
	return data
}

// asDecoded gives rows the form that decoding gives them.
func asDecoded(t testing.TB, b body) any {
	a, ok := b.(*appendRows)
	if !ok {
		return b
	}
	out := &appendRows{ranges: a.ranges, tokens: a.tokens}
	for _, r := range a.rows {
		c := codedRows{table: r.Table, block: []byte{}}
		if r.Block != nil {
			var err error
			c.block, err = blockcodec.Append(nil, r.Block)
			must(t, err)
		}
		out.coded = append(out.coded, c)
	}
	return out
}

// TestEntryGolden holds the bytes of every kind of entry against testdata/entries: stored logs must stay readable.
func TestEntryGolden(t *testing.T) {
	byKind := map[string]body{}
	for _, b := range goldenBodies() {
		byKind[b.kind().String()] = b
	}
	datadriven.RunTest(t, "testdata/entries", func(t *testing.T, d *datadriven.TestData) string {
		b := byKind[d.Cmd]
		if b == nil {
			return "no such kind\n"
		}
		data := goldenEntry(t, b)
		e, err := decodeEntry(data)
		must(t, err)
		want := header{kind: b.kind(), group: 1, term: 5, schema: 12, time: 1_700_000_000_000_000_000, request: 77}
		if e.header != want {
			t.Errorf("header %+v", e.header)
		}
		if !reflect.DeepEqual(e.body, asDecoded(t, b)) {
			t.Errorf("%s does not survive: %+v", d.Cmd, e.body)
		}
		return hex.Dump(data)
	})
}

// TestEntryDamage: an entry that is cut off anywhere, or goes on, is refused.
func TestEntryDamage(t *testing.T) {
	for _, b := range goldenBodies() {
		data := goldenEntry(t, b)
		for n := range data {
			if _, err := decodeEntry(data[:n]); !sqlerr.Is(err, sqlerr.CorruptedData) {
				t.Fatalf("%s cut at %d of %d: %v", b.kind(), n, len(data), err)
			}
		}
		if _, err := decodeEntry(append(data, 0)); !sqlerr.Is(err, sqlerr.CorruptedData) {
			t.Errorf("%s with a byte more: %v", b.kind(), err)
		}
	}
	for _, data := range []string{"\x02\x01", "\x01\x63\x00\x00\x00\x00\x00"} {
		if _, err := decodeEntry([]byte(data)); !sqlerr.Is(err, sqlerr.CorruptedData) {
			t.Errorf("%q: %v", data, err)
		}
	}
}

// FuzzEntry: any bytes give an entry or an error, and what is decoded from an entry encodes to something that decodes to the same.
func FuzzEntry(f *testing.F) {
	for _, b := range goldenBodies() {
		f.Add(goldenEntry(f, b))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeEntry(data)
		if err != nil {
			if !sqlerr.Is(err, sqlerr.CorruptedData) {
				t.Fatalf("code %d: %v", sqlerr.CodeOf(err), err)
			}
			return
		}
		b, ok := e.body.(body)
		if _, coded := b.(*appendRows); !ok || coded {
			return // blocks are encoded from vectors only
		}
		again, err := b.append(appendHeader(nil, e.header))
		must(t, err)
		back, err := decodeEntry(again)
		if err != nil || !reflect.DeepEqual(back, e) {
			t.Fatalf("%+v became %+v, %v", e, back, err)
		}
	})
}

// FuzzSnapshotHead: any bytes give a state or an error.
func FuzzSnapshotHead(f *testing.F) {
	s := newSimulation(1, fences{})
	for range 50 {
		s.step()
	}
	head, err := s.fsm.appendHead(nil)
	must(f, err)
	f.Add(head)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		m := newShardFSM(1, &rowStore{}, testSpecs, fences{}, nil)
		r := &reader{b: data}
		at, state := m.readPlace(r), readShardState(r)
		if r.err != nil {
			return
		}
		m.state, m.term, m.applied = state, at.term, at.index
		again, err := m.appendHead(nil)
		must(t, err)
		r = &reader{b: again}
		if back := m.readPlace(r); back != at {
			t.Fatalf("place %+v became %+v", at, back)
		}
		if back := readShardState(r); r.err != nil || fmt.Sprint(back.cursors) != fmt.Sprint(state.cursors) || len(back.tables) != len(state.tables) {
			t.Fatalf("the state changed: %v", r.err)
		}
	})
}

// TestSnapshotDamage: a Raft snapshot's head with any bit flipped, or cut off, is refused.
func TestSnapshotDamage(t *testing.T) {
	s := newSimulation(1, fences{})
	for range 50 {
		s.step()
	}
	head, err := s.fsm.appendHead(nil)
	must(t, err)
	var w strings.Builder
	must(t, writeHead(&w, shardMagic, snapshotVersion, head))
	good := w.String()
	if _, err := readHead(strings.NewReader(good), shardMagic, snapshotVersion); err != nil {
		t.Fatal(err)
	}
	if _, err := readHead(strings.NewReader(good), metaMagic, metaSnapshotVersion); err == nil {
		t.Error("a shard's Raft snapshot was taken for the meta group's")
	}
	for i := range good {
		bad := []byte(good)
		bad[i] ^= 1 << (i % 8)
		if _, err := readHead(strings.NewReader(string(bad)), shardMagic, snapshotVersion); err == nil {
			t.Fatalf("bit %d of byte %d flipped unseen", i%8, i)
		} else if c := sqlerr.CodeOf(err); c != sqlerr.CorruptedData && c != sqlerr.ChecksumDoesntMatch {
			t.Fatalf("byte %d: %v", i, err)
		}
		if _, err := readHead(strings.NewReader(good[:i]), shardMagic, snapshotVersion); err == nil {
			t.Fatalf("cut at %d unseen", i)
		}
	}
}

// TestUnknownEntryStops: an entry that this build cannot read stops the replica; nothing behind it is applied.
func TestUnknownEntryStops(t *testing.T) {
	s := newSimulation(1, fences{})
	before := len(s.store.keys[simBase])
	s.apply(header{term: s.term}, &catalogChange{}) // not a shard's
	s.propose(s.look())
	if err := s.fsm.err(); !sqlerr.Is(err, sqlerr.CorruptedData) {
		t.Errorf("the replica goes on: %v", err)
	}
	if got := len(s.store.keys[simBase]); got != before {
		t.Errorf("%d rows were applied behind it", got-before)
	}
	if r := s.apply(header{term: s.term}, &dropSegments{}); !errors.Is(r.err, ErrUnknown) || !errors.Is(r.err, ErrStopped) {
		t.Errorf("a later entry: %v", r.err)
	}
	if _, err := s.fsm.Snapshot(); err == nil {
		t.Error("a stopped replica makes Raft snapshots")
	}
}
