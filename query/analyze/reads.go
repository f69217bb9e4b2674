package analyze

import (
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/plan"
)

// Reads is what a statement reads of one table that a user names.
type Reads struct {
	// Database and Table are the name it was read by: a rollup's, not that of the table that holds its rows.
	Database, Table string
	// Columns are those some expression uses; none: only rows are counted.
	Columns []string
}

// reading remembers that a source is read under a name, for checkReads.
func (s *scope) reading(src *source, database, table string) {
	src.database, src.table = database, table
	if s.a.opts.Reads != nil && database != "" { // temporary tables are the session's own
		s.a.reads = append(s.a.reads, src)
	}
}

// checkReads asks whether all that is read so far may be. It is asked before anything runs: at the end of the analysis and before each
// scalar subquery.
func (a *analyzer) checkReads() error {
	for _, src := range a.reads {
		r := Reads{Database: src.database, Table: src.table}
		for _, c := range src.columns {
			if c.read && (c.alias == "" || c.name != "_table" && c.name != "_database") { // names are no data
				r.Columns = append(r.Columns, c.name)
			}
		}
		if err := a.opts.Reads(r); err != nil {
			return err
		}
	}
	return nil
}

// police applies the row policies of a table to a frame that reads it. Their columns are not the user's to be allowed.
func (s *scope) police(f *frame, entry *catalog.Table) error {
	if s.a.opts.Policies == nil {
		return nil
	}
	conds, err := s.a.opts.Policies(entry)
	if err != nil {
		return err
	}
	src := f.sources[0]
	read := map[*sourceColumn]bool{}
	for _, c := range src.columns {
		read[c] = c.read
	}
	defer func() {
		for c, was := range read {
			c.read = was
		}
	}()
	for _, sql := range conds {
		if err := s.filterBy(f, sql, "a row policy"); err != nil {
			return sqlerr.Wrap(err, sqlerr.CodeOf(err), "in a row policy of %s", entry.FullName())
		}
	}
	return nil
}

// filterBy lets only rows through for which a condition, as SQL, holds.
func (s *scope) filterBy(f *frame, sql, what string) error {
	e, err := parseExpr(sql)
	if err != nil {
		return err
	}
	own := s.a.scope(nil)
	own.from = f
	x, err := own.resolve(e)
	if err == nil {
		err = scalarOnly(x, what)
	}
	if err == nil {
		x, err = own.condition(x, what)
	}
	if err != nil {
		return err
	}
	f.node = &plan.Filter{Input: f.node, Cond: x}
	return nil
}
