package function

import (
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// ClickHouse's own answer to quantileDeterministic(0.5)(number, number) over a million numbers: the second argument chooses the
// sample, whatever the split.
func TestQuantileDeterministic(t *testing.T) {
	fn, err := BindAggregate(nil, "quantileDeterministic", nil, []*types.Type{types.TUInt64, types.TUInt64}, false)
	if err != nil {
		t.Fatal(err)
	}
	all := numbers(1_000_000)
	merged := fn.New()
	merged.Grow(1)
	for _, part := range []column.Vector{all.Slice(600_000, 1_000_000), all.Slice(0, 600_000)} {
		s := fn.New()
		s.Grow(1)
		if err := s.Add(nil, []column.Vector{part, part}, part.Len()); err != nil {
			t.Fatal(err)
		}
		if err := merged.Merge(nil, s, nil); err != nil {
			t.Fatal(err)
		}
	}
	v, err := merged.Finish(0, 1)
	if err != nil || column.Value(v, 0) != 492708.0 {
		t.Errorf("%v, %v", column.Value(v, 0), err)
	}
}
