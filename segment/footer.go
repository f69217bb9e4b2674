package segment

import (
	"encoding/json"

	"github.com/olapd/olapd/internal/types"
)

// footer is the JSON at the end of a file.
type footer struct {
	Meta     Meta          `json:"meta"`
	PageEnds []uint32      `json:"page_ends"`
	Columns  []columnEntry `json:"columns"`
	Exprs    []columnEntry `json:"exprs,omitempty"`
	SortKey  []string      `json:"sort_key,omitempty"`
	// Primary holds the first PrimaryLen columns of the sort key.
	PrimaryLen int          `json:"primary_len,omitempty"`
	Primary    *ref         `json:"primary,omitempty"`
	Indexes    []indexEntry `json:"indexes,omitempty"`
}

// columnEntry is a stored column or, without pages, a computed expression.
type columnEntry struct {
	Name   string     `json:"name"`
	Type   string     `json:"type"`
	Index  ref        `json:"index"`
	Dict   *dictEntry `json:"dict,omitempty"`
	Bitmap *ref       `json:"bitmap,omitempty"`
	typ    *types.Type
}

// dictEntry is where a column's dictionary lies.
type dictEntry struct {
	Entries int `json:"entries"`
	Header  ref `json:"header"`
	Hashes  ref `json:"hashes"`
}

// indexEntry is a skip index.
type indexEntry struct {
	Index
	Data ref `json:"data"`
}

// parseFooter decodes and validates a footer.
func parseFooter(b []byte, path string) (*footer, error) {
	f := &footer{}
	if err := json.Unmarshal(b, f); err != nil {
		return nil, corrupt(path, "footer: %v", err)
	}
	if err := f.validate(path); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *footer) validate(path string) error {
	m := &f.Meta
	if m.Rows < 0 || m.Rows > maxRows || m.Granularity < 1 || m.Granularity > PageRows {
		return corrupt(path, "%d rows in granules of %d", m.Rows, m.Granularity)
	}
	if want := (m.Rows + int64(m.Granularity) - 1) / int64(m.Granularity); int64(m.Granules) != want {
		return corrupt(path, "%d granules for %d rows", m.Granules, m.Rows)
	}
	prev := uint32(0)
	for _, e := range f.PageEnds {
		if e <= prev || e-prev > PageRows {
			return corrupt(path, "page of rows %d to %d", prev, e)
		}
		prev = e
	}
	if int64(prev) != m.Rows || len(f.Columns) > maxColumns || len(f.Exprs) > maxColumns || len(m.Columns) != len(f.Columns) {
		return corrupt(path, "pages end at row %d of %d, %d columns, %d described", prev, m.Rows, len(f.Columns), len(m.Columns))
	}
	for _, list := range [][]columnEntry{f.Columns, f.Exprs} {
		for i := range list {
			t, err := types.Parse(list[i].Type)
			if err != nil {
				return corrupt(path, "column %s: %v", list[i].Name, err)
			}
			list[i].typ = t
			if d := list[i].Dict; d != nil && (d.Entries < 1 || d.Entries > maxDictEntries || t.Inner().Phys() != types.PBytes) {
				return corrupt(path, "dictionary of %d entries in column %s %s", d.Entries, list[i].Name, t)
			}
		}
	}
	if f.PrimaryLen < 0 || f.PrimaryLen > len(f.SortKey) || f.PrimaryLen > 0 && f.Primary == nil {
		return corrupt(path, "primary index of %d columns", f.PrimaryLen)
	}
	for _, k := range f.SortKey {
		if f.entry(k) == nil {
			return corrupt(path, "sort key column %s is not there", k)
		}
	}
	for _, ix := range f.Indexes {
		if f.entry(ix.Column) == nil || ix.Granularity < 1 || ix.Granularity > maxIndexGranularity || ix.check(f.entry(ix.Column).typ) != nil {
			return corrupt(path, "skip index %s", ix.Name)
		}
	}
	return nil
}

// entry finds a column or expression by name; nil if there is none.
func (f *footer) entry(name string) *columnEntry {
	for _, list := range [][]columnEntry{f.Columns, f.Exprs} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}
