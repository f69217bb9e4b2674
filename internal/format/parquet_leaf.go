package format

import (
	"fmt"
	"io"
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/parquet-go/parquet-go"
)

// parquetLeaf is a column of values in a file, and the place in it up to which it was read. It belongs to one goroutine.
type parquetLeaf struct {
	index    int
	maxDef   byte
	slot     byte // see parquetNodeOf
	repeated bool
	typ      *types.Type // of its values, never Nullable
	read     parquetRead

	pages parquet.Pages  // nil: none opened
	page  parquet.Page   // nil: none at hand
	entry int            // of the page: levels taken
	value int            // of the page: values taken
	dict  column.Builder // of the row group, once a page needs it
	run   parquetRun
}

// parquetRun is what was read of a leaf for one block.
type parquetRun struct {
	entries   int
	defs      []byte // nil if all values are there
	reps      []byte // nil if no group is repeated
	vals      column.Builder
	codes     []uint32 // in place of vals while all pages are of codes into the row group's dictionary
	noneTaken bool     // no page was read yet: codes may still be
}

// open starts on a row group.
func (l *parquetLeaf) open(pages parquet.Pages) {
	l.close()
	l.pages, l.dict = pages, nil
}

func (l *parquetLeaf) close() {
	l.drop()
	if l.pages != nil {
		l.pages.Close() // gives buffers back, and cannot fail
		l.pages = nil
	}
}

// drop releases the page at hand.
func (l *parquetLeaf) drop() {
	if l.page != nil {
		parquet.Release(l.page)
		l.page = nil
	}
	l.entry, l.value = 0, 0
}

// take reads the entries of n rows into run.
func (l *parquetLeaf) take(n int) error {
	l.run = parquetRun{vals: column.New(l.typ, l.room(n)), noneTaken: true}
	rows := -1 // of the row being read; its end shows where the next begins
	if !l.repeated {
		rows = 0
	}
	for {
		if l.page == nil {
			page, err := l.pages.ReadPage()
			if err == io.EOF && l.repeated && rows == n-1 {
				return nil
			}
			if err == io.EOF {
				return io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
			l.page = page
			if err := l.check(); err != nil {
				return err
			}
		}
		var end int
		end, rows = l.reach(rows, n)
		if err := l.takeEntries(end); err != nil {
			return err
		}
		done := l.entry < l.size()
		if !done {
			l.drop()
		}
		if done || !l.repeated && rows == n {
			return nil
		}
	}
}

// room is the values to make room for where n rows are to be read: none for strings, which may stay codes, nor for a
// repeated leaf, of which a row has any number.
func (l *parquetLeaf) room(n int) int {
	if l.repeated || l.typ.Width() == 0 {
		return 0
	}
	return min(n, maxParquetPageValues)
}

// size is the number of entries of the page.
func (l *parquetLeaf) size() int { return int(l.page.NumValues()) }

// check holds the page's levels to its size, as they are indexed by it.
func (l *parquetLeaf) check() error {
	n := l.size()
	if l.maxDef > 0 && len(l.page.DefinitionLevels()) != n || l.repeated && len(l.page.RepetitionLevels()) != n {
		return fmt.Errorf("a page of %d values has %d and %d levels", n, len(l.page.DefinitionLevels()), len(l.page.RepetitionLevels()))
	}
	return nil
}

// reach returns the entry of the page at which row n begins, or its size, and the rows up to there: complete ones, or of a
// repeated leaf the number of the one that may go on.
func (l *parquetLeaf) reach(rows, n int) (int, int) {
	size := l.size()
	if !l.repeated {
		end := min(size, l.entry+n-rows)
		return end, rows + end - l.entry
	}
	for i, r := range l.page.RepetitionLevels()[l.entry:] {
		if r != 0 {
			continue
		}
		if rows++; rows == n {
			return l.entry + i, rows
		}
	}
	return size, rows
}

// takeEntries adds the entries of the page up to end to run.
func (l *parquetLeaf) takeEntries(end int) error {
	r := &l.run
	values := end - l.entry
	if l.maxDef > 0 {
		defs := l.page.DefinitionLevels()[l.entry:end]
		values = 0
		for _, d := range defs {
			if d == l.maxDef {
				values++
			}
		}
		r.defs = append(r.defs, defs...)
	}
	if l.repeated {
		r.reps = append(r.reps, l.page.RepetitionLevels()[l.entry:end]...)
	}
	r.entries += end - l.entry
	l.entry = end
	err := l.takeValues(l.value, l.value+values)
	l.value += values
	return err
}

func (l *parquetLeaf) takeValues(from, to int) error {
	if l.page.Dictionary() != nil {
		return l.takeCodes(from, to)
	}
	if l.run.codes != nil {
		l.decode()
	}
	l.run.noneTaken = false
	return l.read(l.run.vals, l.page.Data(), from, to)
}

// takeCodes adds values of a page of codes: strings stay codes, all else is looked up.
func (l *parquetLeaf) takeCodes(from, to int) error {
	codes, err := l.codes(from, to)
	if err != nil {
		return err
	}
	if err := l.dictionary(); err != nil {
		return err
	}
	for _, c := range codes {
		if int(c) >= l.dict.Len() {
			return fmt.Errorf("a code %d in a dictionary of %d", c, l.dict.Len())
		}
	}
	_, text := l.dict.(*column.Str)
	if !text || l.run.codes == nil && !l.run.noneTaken {
		l.run.vals.AppendSelected(l.dict, codes)
		return nil
	}
	l.run.codes, l.run.noneTaken = append(l.run.codes, codes...), false
	return nil
}

// codes are codes [from, to) of the page.
func (l *parquetLeaf) codes(from, to int) ([]uint32, error) {
	data := l.page.Data()
	src := data.Int32()
	if len(src) < to {
		return nil, fmt.Errorf("a page has %d codes where %d are announced", len(src), to)
	}
	out := make([]uint32, to-from)
	for i, c := range src[from:to] {
		out[i] = uint32(c)
	}
	return out, nil
}

// dictionary reads the row group's dictionary, once.
func (l *parquetLeaf) dictionary() error {
	if l.dict != nil {
		return nil
	}
	d := l.page.Dictionary()
	l.dict = column.New(l.typ, d.Len())
	page := d.Page()
	return l.read(l.dict, page.Data(), 0, d.Len())
}

// decode turns the codes of run into values.
func (l *parquetLeaf) decode() {
	l.run.vals.AppendSelected(l.dict, l.run.codes)
	l.run.codes = nil
}

// vector is the run's values over the leaf's slots: Nullable if it may be.
func (l *parquetLeaf) vector() (column.Vector, error) {
	r := &l.run
	if l.maxDef == 0 {
		return l.values(), nil
	}
	nulls, at, missing := make([]uint8, 0, r.entries), make([]uint32, 0, r.entries), false
	next := uint32(0)
	for _, d := range r.defs {
		switch {
		case d == l.maxDef:
			nulls, at = append(nulls, 0), append(at, next)
			next++
		case d >= l.slot:
			nulls, at, missing = append(nulls, 1), append(at, math.MaxUint32), true
		}
	}
	if int(next) != r.vals.Len()+len(r.codes) {
		return nil, fmt.Errorf("levels announce %d values where there are %d", next, r.vals.Len()+len(r.codes))
	}
	if l.maxDef == l.slot {
		return l.values(), nil
	}
	if !missing {
		return column.NewNullable(nulls, l.values()), nil
	}
	if r.codes != nil {
		l.decode()
	}
	r.vals.AppendDefault() // what is gathered for NULL
	for i, n := range nulls {
		if n != 0 {
			at[i] = next
		}
	}
	return column.NewNullable(nulls, column.Gather(r.vals, at)), nil
}

// values are the values that are there, strings in codes where the file has them so.
func (l *parquetLeaf) values() column.Vector {
	if l.run.codes == nil {
		return l.run.vals
	}
	return &column.Dict{Codes: l.run.codes, Values: l.dict}
}
