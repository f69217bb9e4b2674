package server

import (
	"context"
	"errors"
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/virtual"
)

// maxExternal bounds the bytes of the tables that come along with a query: they are in memory before its limits are known.
const maxExternal = 256 << 20

// externalRows is how many rows of an external table are read at once.
const externalRows = 64 << 10

// isExternal reports whether a field of a multipart request is a table: a file, or something that parameters describe.
func (q *request) isExternal(name, file string) bool {
	return file != "" || q.params.Has(name+"_structure") || q.params.Has(name+"_types")
}

// external reads a table out of a multipart request: its columns are in the parameter NAME_structure, or its types alone in
// NAME_types, and the format of its rows in NAME_format.
func (q *request) external(name string, rows io.Reader) error {
	schema, err := q.externalColumns(name)
	if err != nil {
		return err
	}
	form := first(q.params, name+"_format")
	if form == "" {
		form = "TabSeparated"
	}
	f, err := format.Lookup(form)
	if err != nil {
		return err
	}
	src := &limited{r: rows, left: maxExternal - q.externalBytes}
	rd, err := f.NewReader(src, schema, format.Defaults())
	if err != nil {
		return err
	}
	var blocks []*column.Block
	for {
		r, err := rd.Read(context.Background(), externalRows, maxExternal)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(sqlerr.Wrap(err, sqlerr.CodeOf(err), "External table %s", name), rd.Close())
		}
		blocks = append(blocks, r.Block())
	}
	q.externalBytes = maxExternal - src.left
	q.Tables = append(q.Tables, query.TableOf(name, schema, blocks))
	for _, suffix := range []string{"_structure", "_types", "_format"} {
		q.params.Del(name + suffix) // they are no settings
	}
	return rd.Close()
}

func (q *request) externalColumns(name string) (column.Schema, error) {
	if text := first(q.params, name+"_structure"); text != "" {
		return virtual.ParseStructure(text)
	}
	text := first(q.params, name+"_types")
	if text == "" {
		return nil, sqlerr.New(sqlerr.BadArguments, "Neither structure nor types have not been provided for external table %s. Use fields %s_structure or %s_types to do so", name, name, name)
	}
	return virtual.ParseTypes(text)
}

// limited reads up to a limit, and fails beyond it.
type limited struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, tooLargeExternal()
	}
	return n, err
}

func tooLargeExternal() error {
	return sqlerr.New(sqlerr.TooManyBytes, "The tables that come along with a query take more than %d bytes", maxExternal)
}
