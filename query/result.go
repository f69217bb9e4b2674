package query

import (
	"context"
	"io"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/query/settings"
)

// Result is a statement that was accepted. A statement without rows to return (DDL, INSERT, SET …) has run when Execute
// returns it; of the others Run makes the rows. Close must be called once, always. One goroutine at a time.
type Result struct {
	QueryID string
	// Kind is the statement's kind as in system.query_log: Select, Insert, Create, Drop, Alter, Show …
	Kind string
	// Schema is the rows' columns; nil if the statement returns none (its body is empty).
	Schema column.Schema
	// Format is the name FORMAT gave, or empty.
	Format string
	// Settings are those the statement ran with; read only.
	Settings *settings.Values
	// Written says what an INSERT did.
	Written InsertResult

	x       *statement
	q       *running
	produce func(ctx context.Context, emit func(*column.Block) error) error
	opts    format.Options
	ran     bool
	err     error
	// What stands beside the rows, filled in by produce.
	totals, extremes *column.Block
	beforeLimit      uint64
	hasLimit         bool
}

// Totals returns the row of WITH TOTALS after Run, or nil.
func (r *Result) Totals() *column.Block { return r.totals }

// Extremes returns two rows, the least and the greatest values, after Run with the setting extremes; else nil.
func (r *Result) Extremes() *column.Block { return r.extremes }

// FormatOptions are the settings that formats obey.
func (r *Result) FormatOptions() format.Options { return r.opts }

// Progress is what was done so far; final after Run.
func (r *Result) Progress() Progress { return r.q.progress() }

// Stats is what formats print behind the rows; final after Run.
func (r *Result) Stats() format.Stats {
	p := r.Progress()
	return format.Stats{
		Elapsed: time.Duration(p.ElapsedNanos), ReadRows: p.ReadRows, ReadBytes: p.ReadBytes,
		WrittenRows: p.WrittenRows, WrittenBytes: p.WrittenBytes, TotalRows: p.TotalRows,
		BeforeLimit: r.beforeLimit, HasLimit: r.hasLimit, MissingShards: r.MissingShards(),
	}
}

// Render runs the statement and writes its rows, totals and extremes in the format of the statement or, if it names none, the
// one given. A statement without rows writes nothing.
func (r *Result) Render(w io.Writer, defaultFormat string) error {
	if r.Schema == nil {
		return nil
	}
	name := r.Format
	if name == "" {
		name = defaultFormat
	}
	f, err := format.Lookup(name)
	if err != nil {
		return err
	}
	out, err := f.NewWriter(w, r.Schema, r.opts)
	if err != nil {
		return err
	}
	if err := r.Run(out.Write); err != nil {
		return err
	}
	if r.totals != nil {
		if err := out.Totals(r.totals); err != nil {
			return err
		}
	}
	if r.extremes != nil {
		if err := out.Extremes(r.extremes); err != nil {
			return err
		}
	}
	return out.Close(r.Stats())
}
