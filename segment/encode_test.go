package segment

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/zeebo/xxh3"
)

// texts is parts of so many strings in all, of about so many values of a length.
func texts(r *rand.Rand, parts, rows, values, length int) []*column.Str {
	out := make([]*column.Str, parts)
	for p := range out {
		out[p] = column.NewStr(types.TString, 0)
		for range rows / parts {
			if r.IntN(50) == 0 {
				out[p].AppendString("")
				continue
			}
			out[p].AppendString(fmt.Sprintf("%0*d", length, r.IntN(values)))
		}
	}
	return out
}

func joinedStrings(parts []*column.Str) *column.Str {
	vs := make([]column.Vector, len(parts))
	for i, p := range parts {
		vs[i] = p
	}
	return column.Concat(vs...).(*column.Str)
}

// TestEncode checks the strings, that each is there once, and the hashes.
func TestEncode(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		name                 string
		rows, values, length int
		encoded              bool
	}{
		{"few", 3000, 10, 30, true},
		{"half", 200_000, 100_000, 40, true},
		{"short", 3000, 10, 5, false},
		{"long", 3000, 10, 1200, false},
		{"most once", 200_000, 10_000_000, 30, false},
		{"none", 0, 1, 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			parts := texts(r, 3, c.rows, c.values, c.length)
			if c.rows > 0 {
				parts[1] = parts[1].Slice(1, parts[1].Len()).(*column.Str)
			}
			d := Encode(parts)
			if d == nil || !c.encoded {
				if d != nil || c.encoded {
					t.Fatalf("encoded %v, want %v", d != nil, c.encoded)
				}
				return
			}
			want, vals := joinedStrings(parts), d.Values.(*column.Str)
			for i, code := range d.Codes {
				if !bytes.Equal(want.At(i), vals.At(int(code))) {
					t.Fatalf("row %d is %q, want %q", i, vals.At(int(code)), want.At(i))
				}
			}
			seen := map[string]bool{}
			for i := range vals.Len() {
				if s := vals.At(i); seen[string(s)] || d.Hashes[i] != xxh3.Hash(s) {
					t.Fatalf("entry %d, %q: twice %v, hash %x", i, s, seen[string(s)], d.Hashes[i])
				}
				seen[string(vals.At(i))] = true
			}
			if len(d.Codes) != want.Len() || !d.Unique || len(d.Hashes) != len(seen) {
				t.Errorf("%d codes for %d rows, %d hashes for %d values", len(d.Codes), want.Len(), len(d.Hashes), len(seen))
			}
		})
	}
}

// TestWriteEncoded: a file does not depend on whether the strings came in codes: of one dictionary, of several with strings between them, or of more than
// a Writer remembers.
func TestWriteEncoded(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, c := range []struct{ blocks, rows int }{{1, PageRows + 5000}, {3, 30_000}, {maxKnown + 3, 300}} {
		var coded, plain []*column.Block
		for i := range c.blocks {
			v := joinedStrings(texts(r, 1, c.rows, c.rows, 20))
			plain = append(plain, column.NewBlock(v))
			if i%5 == 1 {
				coded = append(coded, column.NewBlock(v))
				continue
			}
			coded = append(coded, column.NewBlock(Encode([]*column.Str{v})))
		}
		plain, coded = append(plain, plain[0]), append(coded, coded[0]) // the first dictionary, perhaps forgotten meanwhile
		want, wantDict := written(t, plain)
		got, gotDict := written(t, coded)
		if got != want || gotDict != wantDict {
			t.Errorf("%d blocks of %d rows: file %s with %d entries, in codes %s with %d", c.blocks, c.rows, want, wantDict, got, gotDict)
		}
	}
}

// written writes blocks of a string, each in an order that is not its own, and returns the hash of the file and the entries of its dictionary.
func written(t *testing.T, blocks []*column.Block) (hash string, entries int) {
	t.Helper()
	fs := vfs.NewMem()
	w, err := NewWriter(fs, "/s", Options{ID: "s", Schema: column.Schema{{Name: "s", Type: types.TString}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		sel := make([]uint32, b.N)
		for i := range sel {
			sel[i] = uint32((i*7919 + 3) % b.N)
		}
		if err := w.AppendRun(Run{Block: b, Sel: sel, To: b.N}); err != nil {
			t.Fatal(err)
		}
	}
	m, err := w.Finish(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return m.Hash, m.Columns[0].Dict
}
