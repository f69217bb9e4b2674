package remote

import (
	"context"
	"strings"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/protocol"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/segment"
)

// scanner reads one server after the other; all prepare their rows at once.
type scanner struct {
	want column.Schema
	mu   struct {
		sync.Mutex
		conns []*conn
	}
}

// Scan starts to read columns of the rows for which a condition, which may be nil, may hold. With skip, servers that cannot be reached are left out.
func (t *Table) Scan(ctx context.Context, cols []int, cond *segment.Condition, skip bool) (exec.Scanner, error) {
	s := &scanner{}
	var names []string
	for _, c := range cols {
		s.want, names = append(s.want, t.schema[c]), append(names, ast.QuoteIdent(t.schema[c].Name))
	}
	if len(names) == 0 {
		names = []string{"1"} // rows are counted
	}
	text := "SELECT " + strings.Join(names, ", ") + " FROM " + t.name()
	if where := conditionText(cond, t.schema); where != "" {
		text += " WHERE " + where
	}
	conns, errs := make([]*conn, len(t.servers)), make([]error, len(t.servers))
	var work sync.WaitGroup
	for i, same := range t.servers {
		work.Go(func() {
			if conns[i], errs[i] = t.connect(ctx, same); errs[i] == nil {
				errs[i] = conns[i].ask(text)
			}
		})
	}
	work.Wait()
	var failed error
	for i, c := range conns {
		if c != nil {
			s.mu.conns = append(s.mu.conns, c)
		}
		if err := errs[i]; err != nil && failed == nil && !(skip && sqlerr.Is(err, sqlerr.AllConnectionTriesFailed)) {
			failed = err
		}
	}
	if failed != nil {
		s.end()
		return nil, failed
	}
	return s, nil
}

// Next implements exec.Scanner.
func (s *scanner) Next(ctx context.Context) (exec.Morsel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.mu.conns) > 0 {
		c := s.mu.conns[0]
		d, err := c.next(ctx)
		if err != nil {
			return nil, err
		}
		if d == nil {
			c.close()
			s.mu.conns = s.mu.conns[1:]
			continue
		}
		if err := s.check(c, d); err != nil {
			return nil, err
		}
		return &morsel{d.Block}, nil
	}
	return nil, nil
}

// check holds the rows to the columns that were asked for.
func (s *scanner) check(c *conn, d *protocol.Data) error {
	for i, f := range s.want {
		if i >= len(d.Schema) || !d.Schema[i].Type.Equal(f.Type) {
			return sqlerr.New(sqlerr.TypeMismatch, "Column %s of %s is not of type %s as on the first server", f.Name, c.address, f.Type)
		}
	}
	return nil
}

// Stats implements exec.Scanner.
func (s *scanner) Stats() exec.ScanStats { return exec.ScanStats{} }

// Close implements exec.Scanner.
func (s *scanner) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
	return nil
}

// end closes the connections. REQUIRES: s.mu, or that no one else knows s.
func (s *scanner) end() {
	for _, c := range s.mu.conns {
		c.close()
	}
	s.mu.conns = nil
}

// morsel is rows that came.
type morsel struct{ b *column.Block }

// Rows implements exec.Morsel.
func (m *morsel) Rows() int { return m.b.N }

// Column implements exec.Morsel.
func (m *morsel) Column(_ context.Context, i int, sel []uint32) (column.Vector, error) {
	if sel != nil {
		return column.Gather(m.b.Cols[i], sel), nil
	}
	return m.b.Cols[i], nil
}
