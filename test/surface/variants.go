package surface

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// scalarArgs are what each argument of a scalar function is replaced with: NULL, empty values, extremes and other types; %s is the argument itself.
var scalarArgs = []string{
	"NULL", "''", "'zz'", "-1", "0", "18446744073709551615", "-9223372036854775808", "nan", "1.5", "[]", "[1, NULL]", "('a', 1)", "map('k', 1)",
	"toDate('2149-06-06')", "toDateTime('1970-01-01 00:00:00', 'UTC')", "toDateTime64('1900-01-01 00:00:00.123', 3, 'UTC')",
	"toFixedString('ab', 3)", "toDecimal64('-1.25', 2)", "toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')",
	"materialize(%s)", "toNullable(materialize(%s))", "toLowCardinality(%s)",
}

// aggregateArgs are the same of aggregate functions, over the columns of the lists' statements.
var aggregateArgs = []string{
	"NULL", "x", "s", "f", "k", "-1", "18446744073709551615", "nan", "''", "[k]", "(k, s)", "toDecimal64(f, 2)", "toDate(k)", "toNullable(%s)", "toLowCardinality(s)", "x = 1", "toInt8(%s)", "toFloat32(f)",
}

// endings are put behind the statements of aggregate functions: no rows, few groups, many groups.
var endings = []string{" WHERE 0", " GROUP BY k ORDER BY k", " GROUP BY n > 18 AS g, s ORDER BY g, s", " GROUP BY k WITH TOTALS ORDER BY k"}

// unsteady functions answer differently each time or on each machine; only their own entries run.
var unsteady = map[string]bool{}

func init() {
	for _, n := range strings.Fields(`now now64 today yesterday rand rand64 generateUUIDv4 generateUUIDv7 version timezone timeZone revision displayName currentDatabase
		database currentUser user hostName uptime serverUUID connectionId getSetting queryID sleep rowNumberInAllBlocks randomString arrayShuffle FQDN shardNum
		groupArraySample stochasticLinearRegression throwIf runningDifference runningAccumulate neighbor untuple arrayJoin groupUniqArray`) {
		unsteady[n] = true
	}
}

// call is where a function is called in a statement: its arguments stand at [from, to).
type call struct {
	statement string
	from, to  int
	args      []string
}

// callOf finds the call of a function; of one with parameters, the list behind them.
func callOf(statement, name string) (call, bool) {
	at := strings.Index(statement, name+"(")
	if at < 0 {
		return call{}, false
	}
	from := at + len(name) + 1
	to, args := arguments(statement, from)
	if to >= 0 && to+1 < len(statement) && statement[to+1] == '(' {
		from = to + 2
		to, args = arguments(statement, from)
	}
	return call{statement, from, to, args}, to >= 0
}

// arguments splits a list that begins at from, and says where its parenthesis closes; -1 if it does not.
func arguments(s string, from int) (to int, args []string) {
	depth, start, quoted := 0, from, false
	for i := from; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[' || c == '{':
			depth++
		case c == ',' && depth == 0:
			args = append(args, strings.TrimSpace(s[start:i]))
			start = i + 1
		case c == ')' && depth == 0:
			if last := strings.TrimSpace(s[start:i]); last != "" {
				args = append(args, last)
			}
			return i, args
		case c == ')' || c == ']' || c == '}':
			depth--
		}
	}
	return -1, nil
}

// with is the statement with other arguments.
func (c call) with(args []string) string {
	return c.statement[:c.from] + strings.Join(args, ", ") + c.statement[c.to:]
}

var identifier = regexp.MustCompile(`^\w+$`)

// variants makes the statements for an entry of a function: all of what its arguments may be, one at a time, and wrong counts.
func variants(e entry) []string {
	values := scalarArgs
	if e.section == "aggregates" {
		values = aggregateArgs
	} else if e.section != "functions" {
		return nil
	}
	c, ok := callOf(e.statement, e.name)
	if !ok || unsteady[e.name] || !identifier.MatchString(e.name) {
		return nil
	}
	var out []string
	add := func(args []string) {
		if s := c.with(args); s != e.statement && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for i, own := range c.args {
		if strings.Contains(own, "->") || strings.Contains(own, "INTERVAL") {
			continue
		}
		for _, v := range values {
			args := slices.Clone(c.args)
			args[i] = v
			if strings.Contains(v, "%s") {
				args[i] = fmt.Sprintf(v, own)
			}
			add(args)
		}
	}
	if len(c.args) > 0 {
		add(c.args[:len(c.args)-1])
	}
	add(append(slices.Clone(c.args), "1"))
	if e.section == "aggregates" && !strings.Contains(e.statement, " LIMIT ") && !strings.Contains(e.statement, " OVER ") && !strings.Contains(e.statement, "SETTINGS") {
		for _, end := range endings {
			if s := e.statement + end; strings.Contains(s, "{rows}") {
				out = append(out, s)
			}
		}
	}
	return out
}
