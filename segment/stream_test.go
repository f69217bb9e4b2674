package segment

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// streamTable is columns with and without a dictionary, shared and own values, NULLs, and values longer than a block.
func streamTable(r *rand.Rand, rows, source int) *table {
	schema := column.Schema{
		{Name: "n", Type: types.TInt32}, {Name: "own", Type: types.TString}, {Name: "shared", Type: types.NewNullable(types.TString)},
		{Name: "long", Type: types.TString}, {Name: "unique", Type: types.TString},
	}
	b := &column.Block{N: rows}
	for _, f := range schema {
		b.Cols = append(b.Cols, column.New(f.Type, rows))
	}
	put := func(c int, v any) { column.AppendValue(b.Cols[c].(column.Builder), v) }
	for i := range rows {
		put(0, int32(r.IntN(1000)))
		put(1, fmt.Sprintf("own %d of %d, %050d", r.IntN(rows/8), source, 0))
		if r.IntN(9) == 0 {
			put(2, nil)
		} else {
			put(2, fmt.Sprint("shared ", r.IntN(rows/4)))
		}
		long := ""
		if r.IntN(rows/16) == 0 {
			long = fmt.Sprintf("%0100000d", r.IntN(7))
		}
		put(3, long)
		put(4, fmt.Sprint(source, " ", i))
	}
	return &table{schema: schema, block: b}
}

// TestStream merges the streams of several segments, with memory for the dictionaries of the result and without. Nothing may load one of the inputs'.
func TestStream(t *testing.T) {
	const sources, rows, step = 4, PageRows + 20_000, 8192
	for name, budget := range map[string]*mem.Budget{"roomy": nil, "tight": mem.NewBudget("test", heapDictBytes/2*dictBudgetShare)} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(8, 8))
			fs, cache := vfs.NewMem(), NewCache(1<<30, nil)
			var readers []*Reader
			var blocks [sources][]*column.Block
			want := &column.Block{}
			for i := range sources {
				tab, path := streamTable(r, rows, i), fmt.Sprint("/", i)
				write(t, r, tab, Options{}, fs, path)
				rd := open(t, fs, path, cache)
				readers = append(readers, rd)
				blocks[i] = streamBlocks(t, rd, step)
				if want.Cols == nil {
					for _, f := range tab.schema {
						want.Cols = append(want.Cols, column.New(f.Type, 0))
					}
				}
			}
			w, err := NewWriter(fs, "/merged", Options{Schema: readers[0].Schema(), Whole: true, Budget: budget, Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			mergeRandomly(t, r, w, blocks[:], want, readers)
			if _, err := w.Finish(ctx); err != nil {
				t.Fatal(err)
			}
			for i, rd := range readers {
				for c := range rd.cols {
					if rd.cols[c].mu.dict.Value() != nil && rd.schema[c].Name != "unique" {
						t.Errorf("the dictionary of %s of input %d was loaded", rd.schema[c].Name, i)
					}
				}
			}
			merged := open(t, fs, "/merged", nil)
			if coded := merged.Meta().Columns[1].Noted.Coded; coded != (budget == nil) {
				t.Errorf("coded to the end: %v", coded)
			}
			for c := range want.Cols {
				got, err := merged.ReadColumn(ctx, c, 0, merged.Rows())
				if err != nil {
					t.Fatal(err)
				}
				for i := range got.Len() {
					if column.Compare(got, i, want.Cols[c], i) != 0 {
						t.Fatalf("row %d of column %s differs", i, merged.Schema()[c].Name)
					}
				}
			}
			if budget != nil && budget.Used() != 0 {
				t.Errorf("%d bytes still counted", budget.Used())
			}
		})
	}
}

func streamBlocks(t *testing.T, rd *Reader, step int) (blocks []*column.Block) {
	s := rd.NewStream([]bool{true, true, true, true, true})
	for from := 0; from < rd.Rows(); from += step {
		b := &column.Block{N: min(step, rd.Rows()-from)}
		for c := range rd.Schema() {
			v, err := s.ReadColumn(ctx, c, from, from+b.N)
			if err != nil {
				t.Fatal(err)
			}
			b.Cols = append(b.Cols, v)
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// mergeRandomly appends the sources' rows in runs of random lengths, and the same rows read by other readers to want.
func mergeRandomly(t *testing.T, r *rand.Rand, w *Writer, blocks [][]*column.Block, want *column.Block, readers []*Reader) {
	plain := make([][]column.Vector, len(readers))
	for i, rd := range readers {
		other := open(t, w.fs, rd.Path(), nil)
		for c := range rd.Schema() {
			v, err := other.ReadColumn(ctx, c, 0, rd.Rows())
			if err != nil {
				t.Fatal(err)
			}
			plain[i] = append(plain[i], v)
		}
	}
	pos, row := make([]int, len(blocks)), make([]int, len(blocks))
	for left := len(blocks); left > 0; {
		i := r.IntN(len(blocks))
		if len(blocks[i]) == 0 {
			continue
		}
		b := blocks[i][0]
		n := min(1+r.IntN(200), b.N-pos[i])
		if err := w.AppendRun(Run{Block: b, From: pos[i], To: pos[i] + n}); err != nil {
			t.Fatal(err)
		}
		for c, v := range plain[i] {
			want.Cols[c].(column.Builder).AppendRange(v, row[i], row[i]+n)
		}
		row[i] += n
		if pos[i] += n; pos[i] == b.N {
			blocks[i], pos[i] = blocks[i][1:], 0
			if len(blocks[i]) == 0 {
				left--
			}
		}
	}
}
