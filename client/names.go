package client

import (
	"context"
	"strings"
	"sync"
	"time"
)

// tableColumn is a column of a table on the server.
type tableColumn struct{ database, table, name, kind string }

// names is what the server knows, for completion. A snapshot of it is immutable.
type names struct {
	functions  []string
	aggregates map[string]bool
	settings   []string
	formats    []string
	engines    []string
	types      []string
	databases  []string
	tables     [][2]string // database, table
	columns    []tableColumn
}

// schemaAge is how old names of databases, tables and columns may get: others may change them, too.
const schemaAge = 30 * time.Second

// directory fetches names when they are first needed. It is safe for concurrent use.
type directory struct {
	dial func(context.Context) (*conn, error)
	mu   struct {
		sync.Mutex
		names
		fixed   bool // what does not change while the server runs has been fetched
		fetched time.Time
	}
}

// expire makes the next lookup fetch databases, tables and columns again.
func (d *directory) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.fetched = time.Time{}
}

// get returns the names, fetching what is missing or old. What the server does not tell stays empty.
func (d *directory) get() names {
	d.mu.Lock()
	fixed, fresh, known := d.mu.fixed, time.Since(d.mu.fetched) < schemaAge, d.mu.names
	d.mu.Unlock()
	if fixed && fresh {
		return known
	}
	ctx, cancel := context.WithTimeout(context.Background(), sideTimeout)
	defer cancel()
	c, err := d.dial(ctx) // the session's own may be busy
	if err != nil {
		return known // completion does without
	}
	defer c.close()
	fetch := func(needed bool, sql string, each func(fields []string)) {
		if !needed {
			return
		}
		text, err := c.text(ctx, sql)
		if err != nil {
			return // as above
		}
		for line := range strings.Lines(text) {
			each(strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
	}
	list := func(needed bool, into *[]string, sql string) {
		if needed {
			*into = nil
		}
		fetch(needed, sql, func(f []string) { *into = append(*into, f[0]) })
	}
	list(!fixed, &known.settings, "SELECT name FROM system.settings")
	list(!fixed, &known.formats, "SELECT name FROM system.formats")
	list(!fixed, &known.engines, "SELECT name FROM system.table_engines")
	list(!fixed, &known.types, "SELECT name FROM system.data_type_families")
	if !fixed {
		known.functions, known.aggregates = nil, map[string]bool{}
	}
	fetch(!fixed, "SELECT name, is_aggregate FROM system.functions", func(f []string) {
		known.functions = append(known.functions, f[0])
		if len(f) > 1 && f[1] == "1" {
			known.aggregates[f[0]] = true
		}
	})
	list(!fresh, &known.databases, "SELECT name FROM system.databases")
	if !fresh {
		known.tables, known.columns = nil, nil
	}
	fetch(!fresh, "SELECT database, name FROM system.tables", func(f []string) {
		if len(f) == 2 {
			known.tables = append(known.tables, [2]string{f[0], f[1]})
		}
	})
	fetch(!fresh, "SELECT database, table, name, type FROM system.columns", func(f []string) {
		if len(f) == 4 {
			known.columns = append(known.columns, tableColumn{f[0], f[1], f[2], f[3]})
		}
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mu.names, d.mu.fixed = known, len(known.functions) > 0
	if len(known.databases) > 0 { // else the server could not tell, and is asked again
		d.mu.fetched = time.Now()
	}
	return known
}
