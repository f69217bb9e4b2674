package segment

import (
	"fmt"
	"strings"
)

// Meta describes a segment. It is JSON-able, immutable once published, and is what manifests hold: merge
// selection and partition pruning need no file.
type Meta struct {
	ID          string `json:"id"`
	Version     int    `json:"version"`
	Rows        int64  `json:"rows"`
	Bytes       int64  `json:"bytes"` // of the file; 0 inside the file itself
	RawBytes    int64  `json:"raw_bytes"`
	Level       int    `json:"level"`        // merges behind it: 0 is a flush
	Granularity int    `json:"granularity"`  // rows of a granule
	Granules    int    `json:"granules"`     //
	PartitionID string `json:"partition_id"` // as in system.parts
	// Partition is the value of PARTITION BY, one per expression of the tuple.
	Partition []Value `json:"partition,omitempty"`
	// MinKey and MaxKey are the sort key of the first and the last row; empty without rows or without a sort key.
	MinKey []Value `json:"min_key,omitempty"`
	MaxKey []Value `json:"max_key,omitempty"`
	// TTLMin and TTLMax bound the Unix seconds at which rows expire; both 0 without TTL.
	TTLMin int64 `json:"ttl_min,omitempty"`
	TTLMax int64 `json:"ttl_max,omitempty"`
	// MinIndex and MaxIndex are the range of log indexes whose rows are inside.
	MinIndex uint64 `json:"min_index,omitempty"`
	MaxIndex uint64 `json:"max_index,omitempty"`
	// Hash is the xxh3-128 of the file without its trailer, in hexadecimal; empty inside the file itself.
	Hash    string       `json:"hash,omitempty"`
	Columns []ColumnMeta `json:"columns"`
}

// ColumnMeta describes one column of a segment.
type ColumnMeta struct {
	Name string `json:"name"`
	Type string `json:"type"` // as declared
	// Min and Max enclose all values that are neither NULL nor NaN (for strings possibly not tightly); invalid if there are
	// none or the type is not a scalar.
	Min   Value `json:"min"`
	Max   Value `json:"max"`
	Nulls int64 `json:"nulls,omitempty"`
	// Distinct estimates the distinct values (HyperLogLog, error about 1.6 %); exact if fully dictionary-coded; 0 if unknown.
	Distinct uint64 `json:"distinct,omitempty"`
	// Bytes are stored, RawBytes in memory.
	Bytes    int64 `json:"bytes"`
	RawBytes int64 `json:"raw_bytes"`
	// Dict is the number of dictionary entries; 0 without a dictionary.
	Dict int `json:"dict,omitempty"`
	// Noted is nil in segments written before it was.
	Noted *Noted `json:"noted,omitempty"`
}

// Noted is more statistics of a column of scalars.
type Noted struct {
	Cut      bool  `json:"cut,omitempty"`   // Min or Max is a shortened string
	NaN      bool  `json:"nan,omitempty"`   // some value is
	Coded    bool  `json:"coded,omitempty"` // all pages are of dictionary codes, and each entry occurs
	Defaults int64 `json:"defaults"`        // rows of zero or the empty string, NULL aside; -1: not counted
}

// Column returns the column's description, or nil.
func (m *Meta) Column(name string) *ColumnMeta {
	for i := range m.Columns {
		if m.Columns[i].Name == name {
			return &m.Columns[i]
		}
	}
	return nil
}

// String prints the segment on one line.
func (m *Meta) String() string {
	return fmt.Sprintf("%s: level %d, partition %s, %d rows, %d bytes, key %s to %s, log %d to %d",
		m.ID, m.Level, m.PartitionID, m.Rows, m.Bytes, keyString(m.MinKey), keyString(m.MaxKey), m.MinIndex, m.MaxIndex)
}

// Detail prints the segment with a line for each column.
func (m *Meta) Detail() string {
	var b strings.Builder
	b.WriteString(m.String())
	for _, c := range m.Columns {
		fmt.Fprintf(&b, "\n  %s %s: %s to %s, %d nulls, ~%d distinct, %d of %d bytes", c.Name, c.Type, c.Min, c.Max, c.Nulls, c.Distinct, c.Bytes, c.RawBytes)
		if c.Dict > 0 {
			fmt.Fprintf(&b, ", dictionary of %d", c.Dict)
		}
	}
	return b.String()
}

func keyString(k []Value) string {
	parts := make([]string, len(k))
	for i, v := range k {
		parts[i] = v.String()
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
