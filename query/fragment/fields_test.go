package fragment

import (
	"reflect"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/query/plan"
)

// TestEveryFieldIsKnown fails when a type that is encoded gets a field: the encoding must carry it, or somebody must see why not.
func TestEveryFieldIsKnown(t *testing.T) {
	for _, c := range []struct {
		typ  reflect.Type
		want int
	}{
		{reflect.TypeFor[plan.Scan](), 8}, // Parts are made where the fragment runs
		{reflect.TypeFor[plan.Values](), 2},
		{reflect.TypeFor[plan.Filter](), 2},
		{reflect.TypeFor[plan.Project](), 3},
		{reflect.TypeFor[plan.Aggregate](), 9},
		{reflect.TypeFor[plan.AggCall](), 6},
		{reflect.TypeFor[plan.Sort](), 3},
		{reflect.TypeFor[plan.SortKey](), 2},
		{reflect.TypeFor[column.Order](), 2},
		{reflect.TypeFor[plan.Limit](), 4},
		{reflect.TypeFor[plan.LimitBy](), 4},
		{reflect.TypeFor[plan.Distinct](), 2},
		{reflect.TypeFor[plan.Union](), 2},
		{reflect.TypeFor[plan.Join](), 9},
		{reflect.TypeFor[plan.ArrayJoin](), 4},
		{reflect.TypeFor[plan.Window](), 4}, // Unordered is for this node only: a fragment sorts
		{reflect.TypeFor[plan.WindowCall](), 4},
		{reflect.TypeFor[plan.Frame](), 3},
		{reflect.TypeFor[plan.Col](), 3},
		{reflect.TypeFor[plan.Const](), 2},
		{reflect.TypeFor[plan.Call](), 2},
		{reflect.TypeFor[plan.Lambda](), 2},
		{reflect.TypeFor[plan.Param](), 2},
		{reflect.TypeFor[plan.In](), 4},
		{reflect.TypeFor[plan.Set](), 4},
		{reflect.TypeFor[function.Signature](), 4},
		{reflect.TypeFor[function.Bound](), 5},
	} {
		if c.typ.NumField() != c.want {
			t.Errorf("%s has %d fields, %d are known here", c.typ, c.typ.NumField(), c.want)
		}
	}
}
