package function

import (
	"bytes"
	"encoding/json"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "JSONArrayLength", Aliases: []string{"JSON_ARRAY_LENGTH"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("JSONArrayLength", types.NewNullable(types.TUInt64), isText), Eval: evalJSONArrayLength, Family: "json", Doc: "Returns the length of a JSON array; NULL if the text is none.", Example: "JSONArrayLength('[1, 2]') → 2"},
		&Scalar{Name: "prettyPrintJSON", MinArgs: 1, MaxArgs: 1, Resolve: fixed("prettyPrintJSON", types.TString, isText), Eval: evalPrettyJSON, Family: "json", Doc: "Writes JSON over several lines, four spaces a level.", Example: "prettyPrintJSON('[]') → []"},
	)
}

func evalJSONArrayLength(c *Call) (column.Vector, error) {
	s, out, nulls := stringsOf(c.Args[0]), make([]uint64, c.Rows), make([]uint8, c.Rows)
	for i := range out {
		v := jsonSpace(s.row(i))
		if len(v) == 0 || v[0] != '[' || !json.Valid(v) {
			nulls[i] = 1
			continue
		}
		out[i] = uint64(jsonLength(v))
	}
	return column.NewNullable(nulls, newNum(types.TUInt64, out)), nil
}

func evalPrettyJSON(c *Call) (column.Vector, error) {
	s, out := stringsOf(c.Args[0]), stringResult(c)
	var buf bytes.Buffer
	for i := range c.Rows {
		buf.Reset()
		if err := json.Indent(&buf, bytes.TrimSpace(s.row(i)), "", "    "); err != nil {
			return nil, sqlerr.Wrap(err, sqlerr.BadArguments, "Invalid JSON string in function prettyPrintJSON")
		}
		if err := c.checkSize(out, int64(buf.Len()), "prettyPrintJSON"); err != nil {
			return nil, err
		}
		out.Append(buf.Bytes())
	}
	return out, nil
}
