package files

import (
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// partsOf are the parts name=value of a path's folders.
func partsOf(p string) map[string]string {
	var out map[string]string
	folders := strings.Split(p, "/")
	for _, f := range folders[:len(folders)-1] {
		if name, value, ok := strings.Cut(f, "="); ok && name != "" && !strings.ContainsAny(f, "*?{}") {
			if out == nil {
				out = map[string]string{}
			}
			out[name] = value
		}
	}
	return out
}

// partColumns are the columns that the parts of a path are, by name: whole numbers, dates and texts.
func partColumns(parts map[string]string) column.Schema {
	var out column.Schema
	for name, value := range parts {
		out = append(out, column.Field{Name: name, Type: partType(value)})
	}
	slices.SortFunc(out, func(a, b column.Field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func partType(value string) *types.Type {
	if _, err := strconv.ParseInt(value, 10, 64); err == nil {
		return types.TInt64
	}
	text := column.NewConst(types.TString, value, 1)
	if len(value) == len("2006-01-02") {
		if _, err := function.Cast(&function.Env{}, text, types.TDate); err == nil {
			return types.TDate
		}
	}
	return types.NewLowCardinality(types.TString)
}

// partValue is the value of a part as the type of its column; the type's default where the path has no such part.
func (d *Data) partValue(o *object, f column.Field) (column.Vector, error) {
	t := f.Type.WithoutLowCardinality()
	text, ok := partsOf(o.name)[f.Name]
	if !ok {
		return column.NewDefaults(t, 1), nil
	}
	v, err := d.o.Format.Cast(column.NewConst(types.TString, text, 1), t)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.CodeOf(err), "Part %s=%s of path %s", f.Name, text, o.path)
	}
	return column.Flatten(v), nil
}
