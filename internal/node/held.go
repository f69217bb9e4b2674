package node

import (
	"maps"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
	"github.com/olapd/olapd/segment"
)

// held is what of a condition on columns as a table declares them holds of those that a segment has, under their stored names: nothing where a
// column was stored with another type. Of expressions it says nothing if one of the columns was, for they were computed of what is stored, nor if a
// column is stored under another name, for then they are called differently there.
func held(c segment.Condition, t plan.Table, have column.Schema) segment.Condition {
	h := holder{declared: t.Schema(), names: t.Catalog().StoredNames(), key: t.Catalog().SortKey}
	for _, f := range storedSchema(t.Catalog(), h.declared) {
		if i := have.Index(f.Name); i >= 0 && !mergetree.StoredAs(have[i].Type, f.Type) {
			if h.changed == nil {
				h.changed = map[string]bool{}
			}
			h.changed[f.Name] = true
		}
	}
	if h.names == nil && h.changed == nil {
		return c
	}
	return h.terms(c)
}

type holder struct {
	declared column.Schema
	names    map[string]string // stored names that are others
	key      []string
	changed  map[string]bool // columns with other types, by stored name
}

func (h *holder) terms(c segment.Condition) segment.Condition {
	var out segment.Condition
	for _, t := range c.Terms {
		switch t.Kind {
		case segment.AnyOf:
			list := make([]segment.Condition, len(t.Any))
			for i, one := range t.Any {
				list[i] = h.terms(one)
			}
			t.Any = list
		case segment.KeyRange: // columns of keys keep types and names
		default:
			if h.declared.Index(t.Column) < 0 {
				if slices.Contains(h.key, t.Column) {
					break
				}
				continue
			}
			if stored, ok := h.names[t.Column]; ok {
				t.Column = stored
			}
			if h.changed[t.Column] {
				continue
			}
		}
		out.Terms = append(out.Terms, t)
	}
	return out
}

// storedFilter names the request's filter for as long as its columns are stored under the same names.
func storedFilter(req *exec.ScanRequest) string {
	names := req.Table.Catalog().StoredNames()
	if req.Filter == "" || names == nil {
		return req.Filter
	}
	var b strings.Builder
	b.WriteString(req.Filter)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		b.WriteString("\x00" + name + "\x00" + names[name])
	}
	return b.String()
}
