package segment

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Options say what a Writer writes.
type Options struct {
	ID string
	// Schema is the stored columns with their declared types.
	Schema column.Schema
	// Exprs are computed values that keys and indexes need but that are not stored; their names are the SQL
	// the planner will look for, such as toDate(ts).
	Exprs column.Schema
	// SortKey names columns and expressions; the rows arrive sorted by it, ascending, as column.Compare orders. May be empty.
	SortKey []string
	// PrimaryLen is how many of the sort key's columns the primary index holds; 0 means all.
	PrimaryLen int
	// Granularity is the rows of a granule, 1 to PageRows; 0 means DefaultGranularity, more is cut.
	Granularity int
	Indexes     []Index
	// NoBitmaps leaves the bitmap indexes out.
	NoBitmaps bool
	// Whole promises that the blocks come from segments all rows of which are appended: each entry of their dictionaries is needed.
	Whole bool
	// Paths stores columns of JSON path by path, in a file of version 3; else their objects whole.
	Paths bool
	// Budget counts the dictionaries being built; nil: nowhere. Large ones end where it is full.
	Budget *mem.Budget
	// Workers is how many columns are encoded at a time; 0 means 1.
	Workers int

	Level              int
	PartitionID        string
	Partition          []Value
	TTLMin, TTLMax     int64
	MinIndex, MaxIndex uint64

	pageBytes int64 // maxPageBytes; tests set less
}

// complete fills defaults and checks the options.
func (o *Options) complete() error {
	if o.Granularity <= 0 {
		o.Granularity = DefaultGranularity
	}
	o.Granularity = min(o.Granularity, PageRows)
	if o.PrimaryLen <= 0 || o.PrimaryLen > len(o.SortKey) {
		o.PrimaryLen = len(o.SortKey)
	}
	if o.pageBytes == 0 {
		o.pageBytes = maxPageBytes
	}
	seen := map[string]bool{}
	for _, list := range []column.Schema{o.Schema, o.Exprs} {
		for _, f := range list {
			if seen[f.Name] {
				return sqlerr.New(sqlerr.DuplicateColumn, "Column %s stands twice in a segment", f.Name)
			}
			seen[f.Name] = true
			if t, err := types.Parse(f.Type.String()); err != nil || !t.Equal(f.Type) {
				return sqlerr.New(sqlerr.LogicalError, "Column %s has a type whose name does not parse: %s", f.Name, f.Type)
			}
		}
	}
	for _, k := range o.SortKey {
		if !seen[k] {
			return sqlerr.New(sqlerr.LogicalError, "Sort key column %s is not written", k)
		}
		if t := o.typeOf(k); !t.IsOrdered() {
			return sqlerr.New(sqlerr.BadArguments, "Column %s of type %s cannot be a sort key", k, t)
		}
	}
	for i := range o.Indexes {
		ix := &o.Indexes[i]
		if !seen[ix.Column] {
			return sqlerr.New(sqlerr.LogicalError, "Index %s is over %s, which is not written", ix.Name, ix.Column)
		}
		ix.Granularity = min(max(ix.Granularity, 1), maxIndexGranularity)
		if err := ix.check(o.typeOf(ix.Column)); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) typeOf(name string) *column.Type {
	for _, list := range []column.Schema{o.Schema, o.Exprs} {
		if i := list.Index(name); i >= 0 {
			return list[i].Type
		}
	}
	return nil
}

// version is that of the file: the oldest that can hold what is written.
func (o *Options) version() int {
	if o.Paths && slices.ContainsFunc(o.Schema, func(f column.Field) bool { return f.Type.Kind == types.JSON }) {
		return Version
	}
	return wholeVersion
}

// pageRows is the rows of a full page: whole granules.
func (o *Options) pageRows() int { return PageRows / o.Granularity * o.Granularity }
