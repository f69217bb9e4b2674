package format

import (
	"fmt"
	"io"
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/parquet-go/parquet-go"
)

// parquetLeaf is a column of values in a file, and the place in it up to which it was read. It belongs to one goroutine.
type parquetLeaf struct {
	index    int
	maxDef   byte
	maxRep   byte
	slot     byte // see parquetNodeOf
	repeated bool
	kind     parquet.Type // in the file
	typ      *types.Type  // of its values, never Nullable
	read     parquetRead

	pages *parquetPages  // nil: none opened
	page  *parquetPage   // nil: none at hand
	entry int            // of the page: levels taken
	value int            // of the page: values taken
	dict  column.Builder // of the row group; nil if there is none
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
func (l *parquetLeaf) open(pages *parquetPages) {
	l.close()
	l.pages, l.dict = pages, nil
}

func (l *parquetLeaf) close() {
	l.drop()
	if l.pages != nil {
		l.pages.close()
		l.pages = nil
	}
}

// drop is done with the page at hand.
func (l *parquetLeaf) drop() {
	if l.page != nil {
		kernel.Recycle(l.page.codes)
		l.page = nil
	}
}

// text reports whether the values are strings, which may stay codes and are copied once.
func (l *parquetLeaf) text() bool { return l.typ == types.TString }

// take reads the entries of n rows into run.
func (l *parquetLeaf) take(n int) error {
	l.run = parquetRun{vals: column.New(l.typ, 0), noneTaken: true}
	rows := -1 // of the row being read; its end shows where the next begins
	if !l.repeated {
		rows = 0
	}
	for {
		if l.page == nil {
			err := l.nextPage()
			if err == io.EOF && l.repeated && rows == n-1 {
				return nil
			}
			if err == io.EOF {
				return io.ErrUnexpectedEOF
			}
			if err != nil {
				return err
			}
		}
		var end int
		end, rows = l.reach(rows, n)
		if err := l.takeEntries(end); err != nil {
			return err
		}
		done := l.entry < l.page.entries
		if !done {
			l.drop()
		}
		if done || !l.repeated && rows == n {
			return nil
		}
	}
}

// reach returns the entry of the page at which row n begins, or its size, and the rows up to there: complete ones, or of a
// repeated leaf the number of the one that may go on.
func (l *parquetLeaf) reach(rows, n int) (int, int) {
	size := l.page.entries
	if !l.repeated {
		end := min(size, l.entry+n-rows)
		return end, rows + end - l.entry
	}
	for i, r := range l.page.reps[l.entry:] {
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
	r, p := &l.run, l.page
	values := p.present(l.maxDef, l.entry, end)
	switch {
	case p.defs != nil:
		if r.defs == nil && r.entries > 0 {
			r.defs = allLevels(nil, r.entries, l.maxDef)
		}
		r.defs = append(r.defs, p.defs[l.entry:end]...)
	case r.defs != nil:
		r.defs = append(r.defs, allLevels(nil, end-l.entry, l.maxDef)...)
	}
	if l.repeated {
		r.reps = append(r.reps, p.reps[l.entry:end]...)
	}
	r.entries += end - l.entry
	l.entry = end
	err := l.takeValues(l.value, l.value+values)
	l.value += values
	return err
}

// takeValues adds values of the page: strings in codes stay so while all are, other codes are looked up.
func (l *parquetLeaf) takeValues(from, to int) error {
	r, p := &l.run, l.page
	if p.coded && l.text() && (r.codes != nil || r.noneTaken) {
		r.codes, r.noneTaken = append(r.codes, p.codes[from:to]...), false
		return nil
	}
	if r.codes != nil {
		l.decode()
	}
	r.noneTaken = false
	if p.coded {
		r.vals.AppendSelected(l.dict, p.codes[from:to])
		return nil
	}
	return l.read(r.vals, &p.values, from, to)
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
	if r.defs == nil && r.entries == r.vals.Len()+len(r.codes) {
		if l.maxDef == l.slot {
			return l.values(), nil
		}
		return column.NewNullable(make([]uint8, r.entries), l.values()), nil
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
