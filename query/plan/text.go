package plan

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// constText prints a constant so that different values of different types differ.
func constText(v column.Vector, t *types.Type) string {
	switch x := column.Value(v, 0).(type) {
	case nil:
		return "NULL"
	case string:
		if t.Inner().Kind == types.String {
			return types.QuoteString(x)
		}
		return types.QuoteString(x) + "::" + t.String()
	case int8, int16, int32, int64, uint8, uint16, uint32, uint64:
		text := fmt.Sprint(x)
		if literalKind(text) == t.Kind {
			return text
		}
		return text + "::" + t.String()
	default:
		return strings.ReplaceAll(fmt.Sprint(x), "\n", `\n`) + "::" + t.String()
	}
}

// literalKind is the kind that the integer literal has in SQL: the smallest that holds it.
func literalKind(text string) types.Kind {
	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		switch {
		case u <= math.MaxUint8:
			return types.UInt8
		case u <= math.MaxUint16:
			return types.UInt16
		case u <= math.MaxUint32:
			return types.UInt32
		}
		return types.UInt64
	}
	i, _ := strconv.ParseInt(text, 10, 64)
	switch {
	case i >= math.MinInt8:
		return types.Int8
	case i >= math.MinInt16:
		return types.Int16
	case i >= math.MinInt32:
		return types.Int32
	}
	return types.Int64
}
