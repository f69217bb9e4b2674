package catalog

import (
	"cmp"
	"slices"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Delta is the difference between two catalogs: what travels in the log for a change. Its JSON form is stored.
type Delta struct {
	From             uint64      `json:"from"` // Version of the catalog it applies to
	To               uint64      `json:"to"`   // Version of the result
	NextID           TableID     `json:"next_id"`
	Databases        []*Database `json:"databases,omitempty"` // added or changed
	DroppedDatabases []string    `json:"dropped_databases,omitempty"`
	Tables           []*Table    `json:"tables,omitempty"` // added or changed
	DroppedTables    []TableID   `json:"dropped_tables,omitempty"`
	Functions        []*Function `json:"functions,omitempty"` // added or changed
	DroppedFunctions []string    `json:"dropped_functions,omitempty"`
}

// Diff returns what leads from one catalog to another made from it by With… and Without….
// Tables and databases are compared by identity, as they are immutable.
func Diff(from, to *Catalog) Delta {
	d := Delta{From: from.Version, To: to.Version, NextID: to.NextID}
	for _, db := range to.Databases() {
		if from.databases[db.Name] != db {
			d.Databases = append(d.Databases, db)
		}
	}
	for _, db := range from.Databases() {
		if to.databases[db.Name] == nil {
			d.DroppedDatabases = append(d.DroppedDatabases, db.Name)
		}
	}
	for _, f := range to.Functions() {
		if from.functions[f.Name] != f {
			d.Functions = append(d.Functions, f)
		}
	}
	for _, f := range from.Functions() {
		if to.functions[f.Name] == nil {
			d.DroppedFunctions = append(d.DroppedFunctions, f.Name)
		}
	}
	for id, t := range to.byID {
		if from.byID[id] != t {
			d.Tables = append(d.Tables, t)
		}
	}
	for id := range from.byID {
		if to.byID[id] == nil {
			d.DroppedTables = append(d.DroppedTables, id)
		}
	}
	slices.SortFunc(d.Tables, func(a, b *Table) int { return cmp.Compare(a.ID, b.ID) })
	slices.Sort(d.DroppedTables)
	return d
}

// Apply returns the catalog changed by a delta of exactly this version; LogicalError for one of another.
func (c *Catalog) Apply(d Delta) (*Catalog, error) {
	if d.From != c.Version || d.To <= d.From {
		return nil, sqlerr.New(sqlerr.LogicalError, "A change from catalog version %d to %d does not fit version %d", d.From, d.To, c.Version)
	}
	n := c.clone()
	n.Version, n.NextID = d.To, d.NextID
	for _, name := range d.DroppedDatabases {
		delete(n.databases, name)
	}
	for _, db := range d.Databases {
		n.databases[db.Name] = db
	}
	for _, name := range d.DroppedFunctions {
		delete(n.functions, name)
	}
	for _, f := range d.Functions {
		n.functions[f.Name] = f
	}
	for _, id := range d.DroppedTables {
		delete(n.byID, id)
	}
	for _, t := range d.Tables {
		n.byID[t.ID] = t
	}
	return n.index(), nil
}
