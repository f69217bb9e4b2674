package mergetree

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

var goldenEdit = Edit{Table: 7, Cause: CauseFlush, From: 1, Watermark: 300, Remove: []string{"old"}, Add: []Segment{{
	ID: "ab", Hash: [16]byte{1, 2, 3}, Partition: "202601", Rows: 5, Bytes: 1000, RawBytes: 4000, Level: 1,
	First: SeqAt(2, 0), Last: SeqAt(300, 1), TTLMin: -1, TTLMax: NoTTL, Created: 1700000000,
}}}

// TestGolden holds the bytes of version 1 of edits and states: a change of them needs a new version.
func TestGolden(t *testing.T) {
	datadriven.RunTest(t, "testdata/golden", func(t *testing.T, d *datadriven.TestData) string {
		var b []byte
		switch d.Cmd {
		case "edit":
			b = AppendEdit(nil, goldenEdit)
		case "state":
			s := goldenStore(t)
			defer s.Close()
			b = stateBytes(t, s)
		}
		return strings.ReplaceAll(hex.Dump(b), "\t", " ")
	})
}

func goldenStore(t testing.TB) *Store {
	s, err := Open(testOptions(vfs.NewMem()))
	must(t, err)
	spec := testSpec(7, Plain)
	spec.Columns = testColumns[:2]
	s.ApplyCreate(spec)
	e := goldenEdit
	e.From, e.Watermark, e.Remove = 0, 300, nil
	must(t, s.ApplyEdit(300, e))
	b := testBlock([]row{{part: 1, key: 2}, {part: 3, key: 4}, {part: 5, key: 6}})
	b.Cols = b.Cols[:2]
	must(t, s.ApplyRows(301, 7, b.Slice(0, 1)))
	must(t, s.ApplyRows(302, 7, b.Slice(1, 3)))
	s.Publish(302)
	return s
}

func stateBytes(t testing.TB, s *Store) []byte {
	snap := s.Snapshot()
	defer snap.Close()
	var buf bytes.Buffer
	must(t, snap.EncodeState(&buf))
	return buf.Bytes()
}

func TestEditRoundTrip(t *testing.T) {
	for _, e := range []Edit{goldenEdit, {}, {Table: 1, Cause: CauseMerge, Remove: []string{"a", "b"}}} {
		b := AppendEdit([]byte("x"), e)
		back, rest, err := DecodeEdit(append(b[1:], "tail"...))
		must(t, err)
		if !reflect.DeepEqual(back, e) || string(rest) != "tail" {
			t.Fatalf("%s came back as %s and %q", e, back, rest)
		}
	}
}

// TestStateDamage flips every bit and cuts at every byte: an error each time, and the store stays as it was.
func TestStateDamage(t *testing.T) {
	good := goldenStore(t)
	defer good.Close()
	state := stateBytes(t, good)
	s, err := Open(testOptions(vfs.NewMem()))
	must(t, err)
	defer s.Close()
	for i := range state {
		bad := bytes.Clone(state)
		bad[i] ^= 1 << (i % 8)
		if err := s.DecodeState(bytes.NewReader(bad)); !sqlerr.Is(err, sqlerr.CorruptedData) && !sqlerr.Is(err, sqlerr.ChecksumDoesntMatch) {
			t.Fatalf("a flip in byte %d: %v", i, err)
		}
		if err := s.DecodeState(bytes.NewReader(state[:i])); err == nil {
			t.Fatalf("a cut at %d went unseen", i)
		}
	}
	if s.Applied() != 0 {
		t.Fatal("damage changed the state")
	}
	must(t, s.DecodeState(bytes.NewReader(state)))
	if s.Applied() != 302 || !bytes.Equal(stateBytes(t, s), state) {
		t.Fatal("the state does not come back as it was")
	}
}

// TestStateOfAllTypes takes memtables of random types through the state.
func TestStateOfAllTypes(t *testing.T) {
	s, err := Open(testOptions(vfs.NewMem()))
	must(t, err)
	defer s.Close()
	spec := testSpec(1, Plain)
	s.ApplyCreate(spec)
	rows := randomRows(rand.New(rand.NewPCG(9, 9)), 50)
	for i := range rows {
		must(t, s.ApplyRows(uint64(i/3+1), 1, testBlock(rows[i:i+1])))
	}
	s.Publish(20)
	o := testOptions(vfs.NewMem())
	other := encodeDecode(t, s, o, spec)
	defer other.Close()
	a, b := s.Snapshot(), other.Snapshot()
	defer a.Close()
	defer b.Close()
	requireRows(t, "decoded", allRows(t, a.Table(1)), allRows(t, b.Table(1)))
	for w := range uint64(20) { // commits survive: the same watermark cuts the same rows
		if x, y := countUpTo(a.Table(1), w), countUpTo(b.Table(1), w); x != y {
			t.Fatalf("%d rows up to %d, want %d", y, w, x)
		}
	}
}

func countUpTo(v *TableView, index uint64) int {
	n := 0
	for _, m := range v.Memtable() {
		n += m.upTo(index)
	}
	return n
}

func TestRowsThatDoNotFit(t *testing.T) {
	s, err := Open(testOptions(vfs.NewMem()))
	must(t, err)
	defer s.Close()
	b := testBlock([]row{{}})
	if err := s.ApplyRows(1, 1, b); !sqlerr.Is(err, sqlerr.UnknownTable) {
		t.Fatal(err)
	}
	spec := testSpec(1, Plain)
	s.ApplyCreate(spec)
	b.Cols = b.Cols[:3]
	if err := s.ApplyRows(1, 1, b); !sqlerr.Is(err, sqlerr.NumberOfColumnsDoesntMatch) {
		t.Fatal(err)
	}
	b = testBlock([]row{{}})
	b.Cols[0] = b.Cols[4]
	if err := s.ApplyRows(1, 1, b); !sqlerr.Is(err, sqlerr.IncompatibleColumns) {
		t.Fatal(err)
	}
	if err := s.ApplyEdit(2, Edit{Table: 9}); !errors.Is(err, ErrEditRejected) {
		t.Fatal(err)
	}
	if err := s.ApplyAlter(&Spec{ID: 9}); !sqlerr.Is(err, sqlerr.UnknownTable) {
		t.Fatal(err)
	}
}

func FuzzDecodeEdit(f *testing.F) {
	f.Add(AppendEdit(nil, goldenEdit))
	f.Add(AppendEdit(nil, Edit{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, _, err := DecodeEdit(b)
		if err != nil {
			return
		}
		back, rest, err := DecodeEdit(AppendEdit(nil, e))
		if err != nil || len(rest) > 0 || !reflect.DeepEqual(e, back) {
			t.Fatalf("%s does not survive another round: %s, %v", e, back, err)
		}
	})
}

// FuzzDecodeState fixes up the checksums of the frames, which would otherwise hide the decoder.
func FuzzDecodeState(f *testing.F) {
	s := goldenStore(f)
	defer s.Close()
	state := stateBytes(f, s)
	for at := 8; at < len(state); {
		n := int(state[at]) | int(state[at+1])<<8
		f.Add(state[at+12 : at+12+n])
		at += 12 + n
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		d := &stateReader{s: s, tables: map[catalog.TableID]*table{}, segs: map[catalog.TableID][]Segment{}}
		d.last = s.newTable(1)
		in := &reader{b: payload}
		switch in.u8() {
		case frameTable:
			_ = d.table(in)
		case frameRows:
			_ = d.rows(in)
		}
	})
}
