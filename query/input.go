package query

import (
	"context"
	"sync"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/analyze"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/insert"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/query/virtual"
)

// inputFunction is the table function input([structure]): the data of INSERT … SELECT … FROM input(…) FORMAT …, which is read once, as it comes.
// Without a structure it has the columns that are inserted into.
func (x *statement) inputFunction(call analyze.TableCall) (plan.Table, error) {
	s, ok := x.ast.(*ast.Insert)
	if !ok || !s.Input || x.data == nil {
		return nil, sqlerr.New(sqlerr.InvalidUsageOfInput, "Input stream is not initialized, input() must be used only in INSERT SELECT query")
	}
	schema := x.inserts
	if len(call.Args) > 0 || schema == nil {
		var err error
		if schema, err = virtual.StructureArg(call, 0); err != nil {
			return nil, err
		}
	}
	return virtual.Scanned("input", schema, func(_ context.Context, req exec.ScanRequest) (exec.Scanner, error) {
		if x.inputRead {
			return nil, sqlerr.New(sqlerr.InvalidUsageOfInput, "You can use the `input` function only once in a query.")
		}
		x.inputRead = true
		return x.openInput(s, schema, req.Columns)
	}), nil
}

// openInput begins to read the data as rows of the schema.
func (x *statement) openInput(s *ast.Insert, schema column.Schema, cols []int) (exec.Scanner, error) {
	target, err := x.bare("input", schema, nil)
	if err != nil {
		return nil, err
	}
	if x.in.Rows != nil && !x.hasData() {
		next, err := x.clientRows(target)
		return &inputScanner{next: next, cols: cols}, err
	}
	if s.Format == "" {
		return nil, sqlerr.New(sqlerr.InvalidUsageOfInput, "FORMAT must be specified for function input()")
	}
	o, err := x.analyzeOptions()
	if err != nil {
		return nil, err
	}
	rd, err := x.reader(s, target, o)
	if err != nil {
		return nil, err
	}
	return &inputScanner{next: x.reading(rd, target), end: rd.Close, cols: cols}, nil
}

// bare is the target of rows of a schema that is no table's: all columns, or those of an INSERT's list.
func (x *statement) bare(name string, schema column.Schema, list []ast.Expr) (*insert.Target, error) {
	t := &catalog.Table{Name: name, Database: "_table_function"}
	for _, f := range schema {
		t.Columns = append(t.Columns, catalog.Column{Name: f.Name, Type: f.Type.String()})
	}
	names, err := insert.Names(t, list)
	if err != nil {
		return nil, err
	}
	o, err := x.analyzeOptions()
	if err != nil {
		return nil, err
	}
	return insert.New(x.ctx, t, names, o)
}

// inputScanner reads blocks as they come, one at a time.
type inputScanner struct {
	mu   sync.Mutex
	next nextBlock // nil: it has ended
	end  func() error
	cols []int
}

// Next implements exec.Scanner.
func (s *inputScanner) Next(ctx context.Context) (exec.Morsel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.next != nil {
		b, err := s.next(ctx)
		if err != nil {
			return nil, err
		}
		if b == nil {
			s.next = nil
			break
		}
		if b.N > 0 {
			return &inputMorsel{b, s.cols}, nil
		}
	}
	return nil, nil
}

// Stats implements exec.Scanner. The rows are counted as they are read.
func (s *inputScanner) Stats() exec.ScanStats { return exec.ScanStats{} }

// Close implements exec.Scanner.
func (s *inputScanner) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.end
	s.next, s.end = nil, nil
	if end == nil {
		return nil
	}
	return end()
}

// inputMorsel is one block.
type inputMorsel struct {
	b    *column.Block
	cols []int
}

// Rows implements exec.Morsel.
func (m *inputMorsel) Rows() int { return m.b.N }

// Column implements exec.Morsel.
func (m *inputMorsel) Column(_ context.Context, i int, sel []uint32) (column.Vector, error) {
	v := m.b.Cols[m.cols[i]]
	if sel != nil {
		return column.Gather(v, sel), nil
	}
	return v, nil
}
