package build

import (
	"slices"
	"strings"

	"github.com/olapd/olapd/query/plan"
)

// filterKey names a scan's filter for ScanRequest.Filter: equal keys pass the same rows. Filters with subqueries, which may yield other rows the next time, and with
// functions not known to depend on nothing but their arguments and the time zone have none.
func (b *builder) filterKey(conjuncts []plan.Expr) string {
	if len(conjuncts) == 0 || !b.setting("use_query_condition_cache") {
		return ""
	}
	parts := make([]string, 0, len(conjuncts)+1)
	for _, e := range conjuncts {
		if _, safe := cost(e); !safe {
			return ""
		}
		text, ok := e.String(), true
		plan.Walk(e, func(e plan.Expr) bool {
			switch e := e.(type) {
			case *plan.Col:
				text += "\x00" + e.T.String()
			case *plan.Const:
				text += "\x00" + e.T.String()
			case *plan.In:
				ok = ok && e.Set.Input == nil
			case *plan.Call, *plan.Lambda, *plan.Param:
			}
			return ok
		})
		if !ok {
			return ""
		}
		parts = append(parts, text)
	}
	slices.Sort(parts)
	if z := b.o.Env.Zone; z != nil {
		parts = append(parts, z.String())
	}
	return strings.Join(parts, "\x01")
}
