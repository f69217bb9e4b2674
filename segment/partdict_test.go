package segment

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// TestReadPart reads rows of a large dictionary that is not in memory, one value of which is longer than a block: what comes is the column's, over no more
// values than needed, until loading all would have been less work.
func TestReadPart(t *testing.T) {
	const rows = 2*PageRows + 100
	for _, nullable := range []bool{false, true} {
		fs, path, rnd := vfs.NewMem(), "/s", rand.New(rand.NewPCG(7, 7))
		typ := types.TString
		if nullable {
			typ = types.NewNullable(typ)
		}
		v := column.New(typ, rows)
		for i := range rows {
			switch k := rnd.IntN(40); {
			case k == 0 && nullable:
				column.AppendValue(v, nil)
			case k == 1:
				column.AppendValue(v, "")
			case i == 500:
				column.AppendValue(v, fmt.Sprintf("%0150000d", i))
			default: // new values as the rows go on, and some of those before
				column.AppendValue(v, fmt.Sprintf("a value that is somewhat longer, number %d", max(i/2-rnd.IntN(50), 0)))
			}
		}
		tab := &table{schema: column.Schema{{Name: "s", Type: typ}}, block: column.NewBlock(v)}
		write(t, rnd, tab, Options{}, fs, path)
		rd := open(t, fs, path, NewCache(1<<30, nil))
		blocks := func() int {
			_, h, err := rd.dictOrHead(&rd.cols[0])
			if err != nil {
				t.Fatal(err)
			}
			if h == nil {
				return 0
			}
			return len(h.blocks)
		}
		if blocks() < 20 {
			t.Fatalf("a dictionary of %d blocks is no test", blocks())
		}
		check := func(from, to int, sel []uint32) (values int) {
			t.Helper()
			got, err := rd.ReadPart(ctx, 0, from, to, sel)
			if err != nil {
				t.Fatal(err)
			}
			want := v.Slice(from, to)
			if sel != nil {
				want = column.Gather(want, sel)
			}
			checkColumn(t, want, 0, want.Len(), got)
			_, inner := splitNulls(got)
			if d, ok := inner.(*column.Dict); ok {
				return d.Values.Len()
			}
			return 0
		}
		every := func(n, step int) (sel []uint32) {
			for i := 0; i < n; i += step {
				sel = append(sel, uint32(i))
			}
			return sel
		}
		for _, c := range []struct {
			from, to int
			sel      []uint32
		}{
			{400, 3000, nil},
			{60_000, 65_000, every(5000, 2)},
			{60_000, 65_000, every(5000, 20)},
			{100_000, 101_000, nil},
			{0, 0, nil},
		} {
			if n := check(c.from, c.to, c.sel); n > c.to-c.from {
				t.Errorf("%d rows came over %d values", c.to-c.from, n)
			}
		}
		check(PageRows-100, PageRows+100, nil) // two pages, two dictionaries
		if blocks() == 0 {
			t.Fatal("parts loaded the dictionary")
		}
		code, ok, err := rd.FindCode(ctx, 0, nil)
		if vals, _ := rd.ReadEntries(ctx, 0, []uint32{code}); err != nil || !ok || vals.Len() != 1 || len(vals.At(0)) != 0 {
			t.Fatalf("the empty string has code %d, %v, %v", code, ok, err)
		}
		for range 40 {
			check(30_000, 50_000, nil)
		}
		if blocks() != 0 {
			t.Error("the dictionary was decoded piecemeal for ever")
		}
	}
}

// A dictionary without the empty string says so each time.
func TestFindEmpty(t *testing.T) {
	fs, path, rnd := vfs.NewMem(), "/s", rand.New(rand.NewPCG(7, 8))
	v := column.NewStr(types.TString, 100)
	for range 100 {
		v.Append([]byte("x"))
	}
	write(t, rnd, &table{schema: column.Schema{{Name: "s", Type: types.TString}}, block: column.NewBlock(v)}, Options{}, fs, path)
	rd := open(t, fs, path, nil)
	for range 2 {
		if _, ok, err := rd.FindCode(ctx, 0, nil); ok || err != nil {
			t.Fatalf("found %v, %v", ok, err)
		}
	}
}
