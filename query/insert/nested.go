package insert

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Columns name.x, name.y … of arrays are a Nested: their arrays are equally long in each row.

// nestedGroups returns the positions of the stored columns of each Nested of two or more.
func nestedGroups(all column.Schema, stored []int) [][]int {
	var out [][]int
	at := map[string]int{}
	for _, i := range stored {
		prefix, _, ok := strings.Cut(all[i].Name, ".")
		if !ok || all[i].Type.Kind != types.Array {
			continue
		}
		k, seen := at[prefix]
		if !seen {
			k = len(out)
			at[prefix], out = k, append(out, nil)
		}
		out[k] = append(out[k], i)
	}
	kept := out[:0]
	for _, g := range out {
		if len(g) > 1 {
			kept = append(kept, g)
		}
	}
	return kept
}

// fillNested makes the arrays of a Nested that were not given as long as one that was, of default values.
func (g *Target) fillNested(work *column.Block) {
	for _, group := range g.nested {
		var like *column.Array
		for _, i := range group {
			if g.given[i] >= 0 {
				like = column.Flatten(work.Cols[i]).(*column.Array)
				break
			}
		}
		if like == nil {
			continue
		}
		for _, i := range group {
			if g.given[i] < 0 && g.exprs[i] == nil {
				work.Cols[i] = defaultsLike(like, g.all[i].Type)
			}
		}
	}
}

func defaultsLike(like *column.Array, t *types.Type) column.Vector {
	out := &column.Array{Typ: t, Off: make([]uint32, len(like.Off))}
	for r := range like.Off {
		out.Off[r] = like.Off[r] - like.Off[0]
	}
	n := int(out.Off[len(out.Off)-1])
	out.Elem = column.Flatten(column.NewDefaults(t.Elem().WithoutLowCardinality(), n))
	return out
}

// checkNested refuses rows in which the arrays of a Nested differ in length.
func (g *Target) checkNested(work *column.Block) error {
	for _, group := range g.nested {
		first := column.Flatten(work.Cols[group[0]]).(*column.Array)
		for _, i := range group[1:] {
			other := column.Flatten(work.Cols[i]).(*column.Array)
			for r := range work.N {
				if first.Off[r+1]-first.Off[r] != other.Off[r+1]-other.Off[r] {
					prefix, _, _ := strings.Cut(g.all[i].Name, ".")
					return sqlerr.New(sqlerr.SizesOfArraysDontMatch, "Elements '%s' and '%s' of Nested data structure '%s' (Array columns) have different array sizes",
						g.all[group[0]].Name, g.all[i].Name, prefix)
				}
			}
		}
	}
	return nil
}
