package define

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
	"github.com/olapd/olapd/query/ast"
)

// Elements are the parts of a key or value: those of a tuple, or the one expression. tuple() has none.
func Elements(e ast.Expr) []ast.Expr { return elements(e) }

// PartitionID is the name of a partition in system.parts and on disk, of row i of the partition key's vectors: the values joined by a dash
// where they are numbers, dates (as 20200131) or times (as Unix seconds), as in ClickHouse; else a hash of their text. all without a key.
func PartitionID(key []column.Vector, i int) string {
	if len(key) == 0 {
		return "all"
	}
	parts := make([]string, len(key))
	plain := true
	for k, v := range key {
		t := v.Type().Inner()
		text := string(valuetext.AppendText(nil, v, i, time.UTC))
		switch {
		case column.IsNull(v, i):
			plain = false
		case t.IsDate():
			text = strings.ReplaceAll(text, "-", "")
		case t.IsEnum() || t.Kind == types.Bool:
			text = numberText(v, i)
		case t.Kind == types.DateTime:
			text = numberText(v, i)
		case !t.IsInteger():
			plain = false
		}
		parts[k] = text
	}
	if plain {
		return strings.Join(parts, "-")
	}
	h := sha256.New()
	for k, v := range key {
		h.Write(valuetext.AppendQuoted(nil, v, i, time.UTC))
		h.Write([]byte{byte(k)})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// numberText prints the number a value is stored as.
func numberText(v column.Vector, i int) string {
	v = column.Flatten(v.Slice(i, i+1))
	if n, ok := v.(*column.Nullable); ok {
		v = n.Inner
	}
	switch v := v.(type) {
	case *column.Num[int8]:
		return string(valuetext.AppendText(nil, column.NewNum(types.Simple(types.Int8), v.Data), 0, nil))
	case *column.Num[int16]:
		return string(valuetext.AppendText(nil, column.NewNum(types.Simple(types.Int16), v.Data), 0, nil))
	case *column.Num[uint8]:
		return string(valuetext.AppendText(nil, column.NewNum(types.TUInt8, v.Data), 0, nil))
	case *column.Num[uint32]:
		return string(valuetext.AppendText(nil, column.NewNum(types.Simple(types.UInt32), v.Data), 0, nil))
	}
	return string(valuetext.AppendText(nil, v, 0, time.UTC))
}
