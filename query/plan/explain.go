package plan

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
)

// String prints a plan as a tree, one node a line, inputs indented under the node that
// reads them and the subqueries of IN under the node whose expression has them.
func String(n Node) string {
	var b strings.Builder
	write(&b, n, 0)
	return b.String()
}

const indent = "  "

func write(b *strings.Builder, n Node, depth int) {
	b.WriteString(strings.Repeat(indent, depth))
	b.WriteString(Describe(n))
	b.WriteByte('\n')
	for _, in := range n.Inputs() {
		write(b, in, depth+1)
	}
	for _, s := range Subqueries(n) {
		fmt.Fprintf(b, "%sSet %d\n", strings.Repeat(indent, depth+1), s.ID)
		write(b, s.Input, depth+2)
	}
}

// Subqueries returns the sets of a node's own expressions that come from subqueries, each once.
func Subqueries(n Node) []*Set {
	var out []*Set
	seen := map[*Set]bool{}
	Exprs(n, func(e Expr) {
		Walk(e, func(e Expr) bool {
			if in, ok := e.(*In); ok && in.Set.Input != nil && !seen[in.Set] {
				seen[in.Set] = true
				out = append(out, in.Set)
			}
			return true
		})
	})
	return out
}

// Describe prints one node without its inputs.
func Describe(n Node) string {
	switch n := n.(type) {
	case *Scan:
		return describeScan(n)
	case *Values:
		return fmt.Sprintf("Values %d rows (%s)", n.Block.N, names(n.Fields))
	case *Filter:
		return "Filter " + n.Cond.String()
	case *Project:
		return "Project " + describeProject(n)
	case *Aggregate:
		return describeAggregate(n)
	case *Sort:
		return "Sort " + sortKeys(n.Keys, n.Schema()) + limitText(n.Limit, " limit ")
	case *Fill:
		return describeFill(n)
	case *Slice:
		return describeSlice(n)
	case *Recursive:
		return "Recursive " + n.Name
	case *Working:
		return "Rows of " + n.Name
	case *Limit:
		return describeLimit(n)
	case *LimitBy:
		return "LimitBy " + strconv.FormatUint(n.N, 10) + limitText(n.Offset, " offset ") + " by " + columnList(n.Keys, n.Schema())
	case *Distinct:
		return "Distinct " + columnList(n.Keys, n.Schema())
	case *Union:
		return "Union"
	case *Join:
		return describeJoin(n)
	case *ArrayJoin:
		if n.Left {
			return "LeftArrayJoin " + columnList(n.Columns, n.Schema())
		}
		return "ArrayJoin " + columnList(n.Columns, n.Schema())
	case *Window:
		return describeWindow(n)
	case *Exchange:
		if n.Shards != nil {
			return fmt.Sprintf("Exchange of shards %v", n.Shards) + because(n.Why)
		}
		return "Exchange" + because(n.Why)
	case *Broadcast:
		if n.OrShuffle {
			return "Broadcast, or both sides shuffled if it is large"
		}
		return "Broadcast"
	case *Shuffle:
		return "Shuffle by " + joinExprs(n.Keys) + because(n.Why)
	}
	return fmt.Sprintf("%T", n)
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

func describeScan(n *Scan) string {
	s := "Scan " + n.Table.Name() + " (" + names(n.schema) + ")"
	if n.Final {
		s += " final"
	}
	if n.Sample != 0 {
		s += fmt.Sprintf(" sample %g", n.Sample)
	}
	if n.Filter != nil {
		s += " where " + n.Filter.String()
	}
	return s + limitText(n.Limit, " limit ")
}

func describeProject(n *Project) string {
	parts := make([]string, len(n.Exprs))
	for i, e := range n.Exprs {
		parts[i] = e.String()
		if name := n.Fields[i].Name; name != parts[i] {
			parts[i] += " AS " + name
		}
	}
	return strings.Join(parts, ", ")
}

func describeAggregate(n *Aggregate) string {
	parts := make([]string, len(n.Aggs))
	for i, a := range n.Aggs {
		parts[i] = a.String()
	}
	s := "Aggregate " + strings.Join(parts, ", ")
	if len(n.Keys) > 0 {
		s = strings.TrimRight(s, " ") + " by " + joinExprs(n.Keys)
	}
	if n.GroupingSets != nil {
		s += fmt.Sprintf(" sets %v", n.GroupingSets)
	}
	for _, flag := range []struct {
		on   bool
		text string
	}{{n.Totals, " totals"}, {n.Partial, " partial"}, {n.Merge, " merge"}} {
		if flag.on {
			s += flag.text
		}
	}
	return s
}

// String prints the call as it is written in SQL.
func (a AggCall) String() string { return a.Name + "(" + joinExprs(a.Args) + ")" }

func describeFill(n *Fill) string {
	keys := make([]int, len(n.Keys))
	for i, k := range n.Keys {
		keys[i] = k.Index
	}
	s := "Fill " + columnList(keys, n.Schema())
	for i, x := range n.Interpolate {
		if i == 0 {
			s += " interpolate"
		}
		s += joinSeparator(i) + n.Schema()[x.Column].Name + " as " + x.Expr.String()
	}
	return s
}

func describeLimit(n *Limit) string {
	s := "Limit"
	if n.N != NoLimit {
		s += " " + strconv.FormatUint(n.N, 10)
	}
	s += limitText(n.Offset, " offset ")
	if n.WithTies != nil {
		s += " with ties " + sortKeys(n.WithTies, n.Schema())
	}
	return s
}

var (
	kindNames       = [...]string{"Inner", "Left", "Right", "Full", "Cross", "Semi", "Anti", "RightSemi", "RightAnti"}
	strictnessNames = [...]string{"", "Any", "Asof"}
)

// String names the kind as EXPLAIN prints it.
func (k JoinKind) String() string { return kindNames[k] }

func describeJoin(n *Join) string {
	s := strictnessNames[n.Strictness] + n.Kind.String() + "Join"
	for i, l := range n.LeftKeys {
		op := " = "
		if n.Strictness == Asof && i == len(n.LeftKeys)-1 {
			op = " " + n.AsofOp + " "
		}
		s += joinSeparator(i) + l.String() + op + n.RightKeys[i].String()
	}
	if n.Cond != nil {
		s += " and " + n.Cond.String()
	}
	return s
}

func joinSeparator(i int) string {
	if i == 0 {
		return " "
	}
	return ", "
}

func describeWindow(n *Window) string {
	in := n.Input.Schema()
	parts := make([]string, len(n.Calls))
	for i, c := range n.Calls {
		var over []string
		if len(c.PartitionBy) > 0 {
			over = append(over, "partition by "+columnList(c.PartitionBy, in))
		}
		if len(c.OrderBy) > 0 {
			over = append(over, "order by "+sortKeys(c.OrderBy, in))
		}
		if f := c.Frame; f.Rows || f.Start != nil || f.End != nil {
			over = append(over, f.String())
		}
		parts[i] = c.AggCall.String() + " over (" + strings.Join(over, " ") + ")"
	}
	return "Window " + strings.Join(parts, ", ")
}

// String prints the frame as SQL does, with + and - for the distance from the current row.
func (f Frame) String() string {
	bound := func(p *int64) string {
		if p == nil {
			return "unbounded"
		}
		return fmt.Sprintf("%+d", *p)
	}
	kind := "range"
	if f.Rows {
		kind = "rows"
	}
	return kind + " between " + bound(f.Start) + " and " + bound(f.End)
}

func limitText(n uint64, prefix string) string {
	if n == 0 {
		return ""
	}
	return prefix + strconv.FormatUint(n, 10)
}

func names(s column.Schema) string {
	parts := make([]string, len(s))
	for i, f := range s {
		parts[i] = f.Name
	}
	return strings.Join(parts, ", ")
}

func columnList(cols []int, s column.Schema) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = s[c].Name
	}
	return strings.Join(parts, ", ")
}

func sortKeys(keys []SortKey, s column.Schema) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = s[k.Index].Name
		if k.Desc {
			parts[i] += " desc"
		}
		if k.NullsFirst {
			parts[i] += " nulls first"
		}
	}
	return strings.Join(parts, ", ")
}
