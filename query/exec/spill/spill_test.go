package spill

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

const dir = "/data/tmp"

func open(t *testing.T, fs vfs.FS) *Store {
	t.Helper()
	s, err := Open(fs, dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// block has numbers, a missing column, a dictionary, a constant and NULLs, n rows from first on.
func block(first, n int) *column.Block {
	nums, codes, nulls := make([]uint64, n), make([]uint32, n), make([]uint8, n)
	for i := range n {
		nums[i], codes[i], nulls[i] = uint64(first+i), uint32((first+i)%3), uint8((first+i)%2)
	}
	return &column.Block{N: n, Cols: []column.Vector{
		column.NewNum(types.TUInt64, nums), nil,
		&column.Dict{Codes: codes, Values: column.NewStrings("a", "", "ccc"), Unique: true},
		column.NewConst(types.TString, "same", n),
		column.NewNullable(nulls, column.NewNum(types.TUInt64, nums)),
	}}
}

// text shows a block's rows, to compare.
func text(b *column.Block) string {
	var out bytes.Buffer
	for i := range b.N {
		for _, c := range b.Cols {
			if c == nil {
				out.WriteString("- ")
				continue
			}
			fmt.Fprint(&out, column.Value(c, i), " ")
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func write(t *testing.T, a *Area, blocks ...*column.Block) *File {
	t.Helper()
	w, err := a.Create()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	f, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRowsComeBack(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	a := s.Area(0)
	f := write(t, a, block(0, 3), block(3, 20_000), block(20_003, 1))
	if f.Rows() != 20_004 || f.Bytes() != s.Used() || a.Written() != s.Used() {
		t.Errorf("rows %d, bytes %d of %d", f.Rows(), f.Bytes(), s.Used())
	}
	for range 2 {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for {
			b, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			if b.N > frameRows {
				t.Errorf("a frame of %d rows", b.N)
			}
			got.WriteString(text(b))
		}
		if got.String() != text(block(0, 20_004)) {
			t.Error("other rows than were written")
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Remove(); err != nil || s.Used() != 0 {
		t.Errorf("after Remove %d bytes, %v", s.Used(), err)
	}
	if err := f.Remove(); err != nil {
		t.Errorf("removed twice: %v", err)
	}
}

func TestLargeRowsMakeSmallFrames(t *testing.T) {
	s := open(t, vfs.NewMem())
	a := s.Area(0)
	wide := strings.Repeat("x", 300_000)
	f := write(t, a, &column.Block{N: 50, Cols: []column.Vector{column.NewConst(types.TString, wide, 50)}})
	if f.FrameBytes() > frameBytes || f.Rows() != 50 {
		t.Errorf("a frame of %d bytes, %d rows", f.FrameBytes(), f.Rows())
	}
}

func TestFilesGo(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	a := s.Area(0)
	write(t, a, block(0, 100))
	w, err := a.Create()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(block(0, 10)); err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if names, _ := fs.List(dir); len(names) != 1 {
		t.Errorf("files before Close: %v", names)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if names, _ := fs.List(dir); len(names) != 0 || s.Used() != 0 {
		t.Errorf("files after Close: %v, %d bytes", names, s.Used())
	}
	write(t, s.Area(0), block(0, 100)) // left behind, as by a kill
	open(t, fs)
	if names, _ := fs.List(dir); len(names) != 0 {
		t.Errorf("files after the next start: %v", names)
	}
}

func TestLimits(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, fs)
	a := s.Area(2000)
	w, err := a.Create()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(block(0, 100_000)); !sqlerr.Is(err, sqlerr.TooManyRowsOrBytes) {
		t.Errorf("over the query's limit: %v", err)
	}
	if s.Used() > 2000 {
		t.Errorf("%d bytes used", s.Used())
	}
	fs.SetCapacity(50_000)
	full := s.Area(0)
	if w, err = full.Create(); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(block(0, 1_000_000)); !sqlerr.Is(err, sqlerr.NotEnoughSpace) {
		t.Errorf("on a full volume: %v", err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	var none *Store
	if none.Area(0) != nil || none.Area(0).Close() != nil {
		t.Error("a store that is not there has an area")
	}
}

func TestDamageIsAnError(t *testing.T) {
	fs := vfs.NewMem()
	a := open(t, fs).Area(0)
	f := write(t, a, block(0, 1000))
	for _, at := range []int64{0, 1, 9, f.Bytes() / 2, f.Bytes() - 1} {
		h, err := fs.OpenReadWrite(f.name)
		if err != nil {
			t.Fatal(err)
		}
		var was [1]byte
		if _, err := h.ReadAt(was[:], at); err != nil {
			t.Fatal(err)
		}
		flip := func(b byte) {
			if _, err := h.WriteAt([]byte{b}, at); err != nil {
				t.Fatal(err)
			}
		}
		flip(was[0] ^ 0x40)
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := r.Next(); err == nil {
			t.Errorf("byte %d flipped: %d rows", at, b.N)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		flip(was[0])
		if err := h.Truncate(f.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	h, err := fs.OpenReadWrite(f.name)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := h.Truncate(10); err != nil {
		t.Fatal(err)
	}
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); !sqlerr.Is(err, sqlerr.CannotReadFromFile) {
		t.Errorf("a short file: %v", err)
	}
}
