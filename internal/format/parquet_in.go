package format

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
)

// parquetReader reads the columns of a file that the schema names, a run of rows of one row group at a time.
type parquetReader struct {
	src    io.Reader
	schema column.Schema
	o      Options

	in     *randomInput
	file   *parquetFile
	nodes  []*parquetNode // per column of the schema; nil where the file has none
	leaves []*parquetLeaf
	group  int   // the next row group
	left   int64 // rows left of the one before it
	width  int64 // bytes of a row of it, about
}

func newParquetReader(src io.Reader, schema column.Schema, o Options) Reader {
	return &parquetReader{src: src, schema: schema, o: o}
}

// Close implements Reader.
func (r *parquetReader) Close() error {
	for _, l := range r.leaves {
		l.close()
	}
	r.leaves = nil
	if r.in == nil {
		return nil
	}
	err := r.in.close()
	r.in = nil
	return err
}

// Read implements Reader.
func (r *parquetReader) Read(ctx context.Context, maxRows, maxBytes int) (*Rows, error) {
	if r.file == nil {
		if err := safely(r.open); err != nil {
			return nil, badParquet(err)
		}
	}
	for r.left == 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.group == len(r.file.groups) {
			return nil, io.EOF
		}
		if err := safely(r.next); err != nil {
			return nil, badParquet(err)
		}
	}
	n := min(int64(max(maxRows, 1)), r.left, max(int64(maxBytes)/r.width, 1))
	rows := &Rows{Schema: r.schema, N: int(n), Omitted: make([][]uint8, len(r.schema)), whole: make([]column.Vector, len(r.schema))}
	if err := r.take(ctx, rows); err != nil {
		return nil, badParquet(err)
	}
	r.left -= n
	return rows, nil
}

// open takes the input in and finds the columns.
func (r *parquetReader) open() error {
	var err error
	if r.in, err = randomAccess(r.src, &r.o); err != nil {
		return err
	}
	if r.file, err = openParquet(r.in); err != nil {
		return err
	}
	cols := r.file.Root().Columns()
	if err := checkParquetNames(cols); err != nil {
		return err
	}
	r.nodes = make([]*parquetNode, len(r.schema))
	for _, c := range cols {
		i := r.schema.Index(c.Name())
		if i < 0 {
			continue
		}
		if r.nodes[i], err = parquetNodeOf(c, 0, 0); err != nil {
			return err
		}
		r.leaves = r.nodes[i].leaves(r.leaves)
	}
	r.in.ahead = min(r.in.ahead, max(maxParquetAhead/max(len(r.leaves), 1), minParquetAhead))
	return nil
}

// next starts on the next row group, or leaves it out.
func (r *parquetReader) next() error {
	g := &r.file.groups[r.group]
	if g.NumRows < 0 {
		return fmt.Errorf("row group %d has %d rows", r.group, g.NumRows)
	}
	if !r.wanted(g) {
		r.group++
		return nil
	}
	bytes := int64(0)
	for _, l := range r.leaves {
		pages, err := r.file.pages(r.in, r.group, l.index)
		if err != nil {
			return err
		}
		l.open(pages)
		width := int64(max(l.typ.Width(), 4)) // of a code or an offset, if it is a string's
		bytes += max(g.Columns[l.index].MetaData.TotalUncompressedSize, width*g.NumRows)
	}
	r.left, r.width = g.NumRows, max(bytes/max(g.NumRows, 1), 1)
	r.group++
	return nil
}

// take reads rows.N rows, columns side by side.
func (r *parquetReader) take(ctx context.Context, rows *Rows) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	workers := max(min(r.o.Threads, len(r.schema)), 1)
	errs := make([]error, workers)
	work := func(w int) {
		for c := int(next.Add(1)) - 1; c < len(r.schema) && errs[w] == nil; c = int(next.Add(1)) - 1 {
			if errs[w] = ctx.Err(); errs[w] == nil {
				errs[w] = safely(func() error { return r.column(rows, c) })
			}
		}
	}
	for w := 1; w < workers; w++ {
		wait.Go(func() { work(w) })
	}
	work(0)
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// column reads one column of rows.
func (r *parquetReader) column(rows *Rows, c int) error {
	f, n := r.schema[c], r.nodes[c]
	if n == nil {
		rows.whole[c] = column.NewDefaults(f.Type.WithoutLowCardinality(), rows.N)
		rows.Omitted[c] = ones(rows.N)
		return nil
	}
	for _, l := range n.leaves(nil) {
		if err := l.take(rows.N); err != nil {
			return fmt.Errorf("column %s: %w", f.Name, err)
		}
	}
	v, err := n.vector(0, 0)
	if err == nil && v.Len() != rows.N {
		err = fmt.Errorf("%d values for %d rows", v.Len(), rows.N)
	}
	if err != nil {
		return fmt.Errorf("column %s: %w", f.Name, err)
	}
	rows.whole[c], rows.Omitted[c], err = fileCast{&r.o, "Parquet"}.column(v, f.Type.WithoutLowCardinality())
	return inField(err, f)
}

// ones is a mask of n rows that are all meant.
func ones(n int) []uint8 {
	m := make([]uint8, n)
	for i := range m {
		m[i] = 1
	}
	return m
}
