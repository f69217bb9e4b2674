package query

import (
	"errors"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/define"
)

// createDictionary runs CREATE DICTIONARY. Nothing is read: that happens when the dictionary is first asked for, on each node by itself.
func (x *statement) createDictionary(s *ast.CreateDictionary) error {
	o, err := x.defineOptions()
	if err != nil {
		return err
	}
	return x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		o.Analyze.Catalog = x.s.temps.over(c)
		ch, err := define.Dictionary(x.ctx, s, o)
		if err != nil {
			return nil, err
		}
		if len(ch.Add) == 0 {
			return nil, errNoChange
		}
		return ch.Apply(c)
	})
}

// reloadDictionary runs SYSTEM RELOAD DICTIONARY: the other nodes read the source anew when the dictionary is next asked for there.
func (x *statement) reloadDictionary(n ast.TableName) error {
	db, name, err := x.table(n)
	if err != nil {
		return err
	}
	t := x.cat.Table(db, name)
	if t == nil || t.Kind != catalog.KindDictionary {
		return sqlerr.At(n.Start, sqlerr.BadArguments, "Dictionary (`%s`) not found", n)
	}
	return x.reload([]*catalog.Table{t})
}

// reloadDictionaries runs SYSTEM RELOAD DICTIONARIES: of those that have been asked for.
func (x *statement) reloadDictionaries() error {
	var list []*catalog.Table
	infos := x.e.dicts.Infos()
	for _, t := range x.cat.Tables("") {
		if _, ok := infos[t.ID]; ok && t.Kind == catalog.KindDictionary {
			list = append(list, t)
		}
	}
	return x.reload(list)
}

// reload makes dictionaries out of date on all nodes in one commit, and reads them here.
func (x *statement) reload(list []*catalog.Table) error {
	err := x.change(func(c *catalog.Catalog) (*catalog.Catalog, error) {
		var changed []*catalog.Table
		for _, t := range list {
			if now := c.ByID(t.ID); now != nil && !now.Detached {
				n, d := *now, *now.Dictionary
				d.Epoch++
				n.Dictionary = &d
				changed = append(changed, &n)
			}
		}
		if len(changed) == 0 {
			return nil, errNoChange
		}
		return c.WithChanged(changed...)
	})
	var errs []error
	for _, t := range list {
		if now := x.cat.ByID(t.ID); err == nil && now != nil && now.Dictionary.Layout.Name != "direct" && now.Dictionary.Layout.Name != "complex_key_direct" {
			errs = append(errs, x.e.dicts.Reload(x.ctx, now))
		}
	}
	return errors.Join(append(errs, err)...)
}

func notDictionary(n ast.TableName, t *catalog.Table) error {
	return sqlerr.At(n.Start, sqlerr.IncorrectQuery, "Table %s is not a Dictionary", t.FullName())
}

func dictionaryAsTable(n ast.TableName, t *catalog.Table) error {
	return sqlerr.At(n.Start, sqlerr.CannotDetachDictionaryAsTable, "Cannot drop/detach dictionary %s as table, use DROP DICTIONARY or DETACH DICTIONARY query instead.", t.FullName())
}
