package client

import (
	"context"
	"errors"
	"io"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/virtual"
)

// external is a table that goes with every query, as the command line describes it.
type external struct{ file, name, format, structure, types string }

// field is what an option behind --external sets, or nil.
func (e *external) field(name string) *string {
	return map[string]*string{"file": &e.file, "name": &e.name, "format": &e.format, "structure": &e.structure, "types": &e.types}[name]
}

const (
	// maxExternal bounds the bytes of such a table: it is in memory, and servers take no more.
	maxExternal = 256 << 20
	// externalRows is how many of its rows are sent at once.
	externalRows = 64 << 10
)

// readExternals reads the tables, of which one may be on standard input.
func readExternals(list []external, stdin io.Reader) ([]protocol.Data, error) {
	var out []protocol.Data
	for _, e := range list {
		blocks, err := e.read(stdin)
		if err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "External table %s", e.name)
		}
		out = append(out, blocks...)
	}
	return out, nil
}

func (e *external) read(stdin io.Reader) ([]protocol.Data, error) {
	schema, err := e.columns()
	if err != nil {
		return nil, err
	}
	f, err := format.Lookup(e.format)
	if err != nil {
		return nil, err
	}
	in := stdin
	switch e.file {
	case "":
		return nil, sqlerr.New(sqlerr.BadArguments, "--file is missing behind --external")
	case "-":
	default:
		file, err := openInfile(e.file, "")
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	rd, err := f.NewReader(&bounded{r: in, left: maxExternal}, schema, format.Defaults())
	if err != nil {
		return nil, err
	}
	defer rd.Close()
	header := &column.Block{}
	for _, c := range schema {
		header.Cols = append(header.Cols, column.New(c.Type, 0))
	}
	out := []protocol.Data{{Table: e.name, Schema: schema, Block: header}} // a table without rows has columns, too
	for {
		rows, err := rd.Read(context.Background(), externalRows, maxExternal)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, protocol.Data{Table: e.name, Schema: schema, Block: rows.Block()})
	}
}

func (e *external) columns() (column.Schema, error) {
	switch {
	case e.structure != "":
		return virtual.ParseStructure(e.structure)
	case e.types != "":
		return virtual.ParseTypes(e.types)
	}
	return nil, sqlerr.New(sqlerr.BadArguments, "Neither --structure nor --types says what columns it has")
}

// bounded reads up to a limit, and fails beyond it.
type bounded struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, sqlerr.New(sqlerr.TooManyBytes, "It takes more than %d bytes", maxExternal)
	}
	return n, err
}
