package function

import (
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// parseParams reads the parameters in a type's name: numbers and strings.
func parseParams(texts []string) ([]column.Vector, error) {
	var out []column.Vector
	for _, s := range texts {
		v, err := parseParam(s)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func parseParam(s string) (column.Vector, error) {
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return column.NewNum(types.TUInt64, []uint64{n}), nil
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return column.NewNum(types.TFloat64, []float64{f}), nil
	}
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return column.NewStrings(strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(s[1 : len(s)-1])), nil
	}
	return nil, sqlerr.New(sqlerr.ParametersToAggregateFunctionsMustBeLiterals, "Parameters to aggregate functions must be literals, got %s", s)
}

// wholeParam reads a parameter that is a number ≥ 0; a string is CannotConvertType, as in ClickHouse.
func wholeParam(name string, p column.Vector) (uint64, error) {
	if !p.Type().IsNumeric() {
		return 0, sqlerr.New(sqlerr.CannotConvertType, "Cannot convert %s to unsigned long in the parameters of %s", p.Type(), name)
	}
	x := toFloats(column.Flatten(p))[0]
	if !(x >= 0 && x < 1<<63) {
		return 0, sqlerr.New(sqlerr.ArgumentOutOfBound, "Parameter %v is illegal for aggregate function %s", x, name)
	}
	return uint64(x), nil
}

// paramText prints a parameter as it stands in a type's name.
func paramText(v column.Vector) string {
	switch x := column.Value(v, 0).(type) {
	case string:
		return types.QuoteString(x)
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	case float32:
		return strconv.FormatFloat(float64(x), 'g', -1, 32)
	case uint8:
		return strconv.Itoa(int(x))
	}
	return strconv.FormatFloat(toFloats(column.Flatten(v))[0], 'f', -1, 64)
}
