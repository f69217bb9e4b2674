package plan

import (
	"fmt"
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
		if t.IsInteger() {
			return fmt.Sprint(x)
		}
		return fmt.Sprint(x) + "::" + t.String()
	default:
		return strings.ReplaceAll(fmt.Sprint(x), "\n", `\n`) + "::" + t.String()
	}
}
