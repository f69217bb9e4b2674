package define

import (
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
)

// flattened replaces each column of type Nested by one array per element, named column.element, unless the setting
// flatten_nested is off.
func (o *Options) flattened(defs []*ast.ColumnDef) ([]*ast.ColumnDef, error) {
	var out []*ast.ColumnDef
	for _, d := range defs {
		t, err := o.nested(d)
		if err != nil {
			return nil, err
		}
		if t == nil {
			out = append(out, d)
			continue
		}
		for i, e := range t.Elem().Elems {
			c := *d
			c.Name = d.Name + "." + t.Elem().Names[i]
			c.Type = &ast.DataType{Range: d.Type.Range, Text: types.NewArray(e).String()}
			out = append(out, &c)
		}
	}
	return out, nil
}

// nested is the type of a column that is to be flattened, or nil.
func (o *Options) nested(d *ast.ColumnDef) (*types.Type, error) {
	if d.Type == nil || !o.flattens() {
		return nil, nil
	}
	t, err := types.Parse(d.Type.Text)
	switch {
	case err != nil:
		return nil, positioned(err, d.Type)
	case !t.IsNested():
		return nil, nil
	case d.Default != nil:
		return nil, sqlerr.At(d.Start, sqlerr.NotImplemented, "A default of a column of type Nested is not implemented: give its arrays one each")
	}
	return t, nil
}

func (o *Options) flattens() bool {
	setting := o.Analyze.Setting
	if setting == nil {
		setting = o.Analyze.Env.Setting
	}
	if setting == nil {
		return true
	}
	v, ok := setting("flatten_nested")
	return !ok || v != "0" && v != "false"
}
