package function_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/function"
)

const docsFile = "../../docs/functions.md"

// docs/functions.md is what the registry says; -rewrite writes it.
func TestDocs(t *testing.T) {
	want := document()
	if f := flag.Lookup("rewrite"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(docsFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/functions.md is not what the functions say of themselves: go test ./internal/function -run TestDocs -rewrite")
	}
}

func document() string {
	sections, aliases := map[string][]function.Info{}, map[string][]string{}
	for _, f := range function.All() {
		switch {
		case f.AliasTo != "":
			aliases[f.AliasTo] = append(aliases[f.AliasTo], f.Name)
		case f.Aggregate:
			sections["aggregate"] = append(sections["aggregate"], f)
		default:
			sections[f.Family] = append(sections[f.Family], f)
		}
	}
	var names []string
	for n := range sections {
		if n != "aggregate" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	var out strings.Builder
	out.WriteString(`# Functions

Written from the functions' own declarations by ` + "`go test ./internal/function -run TestDocs -rewrite`" + `. Names, types,
results and error codes are ClickHouse's. A name in another case works where "any case" stands.

Contents: `)
	for _, n := range names {
		fmt.Fprintf(&out, "[%s](#%s) · ", n, strings.ReplaceAll(n, " ", "-"))
	}
	out.WriteString("[aggregate functions](#aggregate-functions) · [combinators](#combinators)\n")
	for _, n := range names {
		fmt.Fprintf(&out, "\n## %s%s\n\n", strings.ToUpper(n[:1]), n[1:])
		writeFunctions(&out, sections[n], aliases)
	}
	out.WriteString("\n## Aggregate functions\n\n" + aggregateNotes)
	writeFunctions(&out, sections["aggregate"], aliases)
	out.WriteString(combinatorNotes)
	return out.String()
}

func writeFunctions(out *strings.Builder, list []function.Info, aliases map[string][]string) {
	cell := func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "|", `\|`), "\n", " ") }
	out.WriteString("| function | what it does | example |\n|---|---|---|\n")
	for _, f := range list {
		name := "`" + f.Name + "`"
		for _, a := range aliases[f.Name] {
			name += ", `" + a + "`"
		}
		if f.CaseInsensitive {
			name += " (any case)"
		}
		example := ""
		if f.Example != "" {
			example = "`" + f.Example + "`"
		}
		fmt.Fprintf(out, "| %s | %s | %s |\n", cell(name), cell(f.Doc), cell(example))
	}
}

const aggregateNotes = `Rows with a NULL in an argument do not count (but see ` + "`…_respect_nulls`" + `). Of no rows, most functions of Nullable
arguments are NULL, and those of others the type's default, or nan; counts are 0 and arrays empty.

Rows reach an aggregate in the order of the table only inside one segment and one thread. So ` + "`any`, `anyLast`, `groupArray`,\n`groupConcat`, `argMin` and `argMax`" + ` among equals, and ` + "`deltaSum`" + ` may differ between two runs of a query over several segments; so may
` + "`quantile`" + ` over more than 8,192 values, whose sample depends on what each thread saw, ` + "`quantileTDigest`, `topK`" + ` over many values, and the last
digits of sums, averages and variances of floats. Exact quantiles, ` + "`uniq…`, `count`, `min`, `max`" + ` and sums of integers and decimals never differ.

`

const combinatorNotes = `
## Combinators

A suffix changes how an aggregate function takes its rows; several may follow each other.

| suffix | what it does | example |
|---|---|---|
| ` + "`-If`" + ` | counts only the rows where the last argument is true | ` + "`sumIf(x, x > 1)`" + ` |
| ` + "`-Array`" + ` | counts every element of the arrays as a row | ` + "`sumArray([1, 2])`" + ` |
| ` + "`-ForEach`" + ` | aggregates the elements at each position on their own, into an array | ` + "`sumForEach([1, 2])`" + ` |
| ` + "`-Map`" + ` | aggregates the values of each key on their own, into a map | ` + "`avgMap(m)`" + ` |
| ` + "`-Distinct`" + ` | counts each distinct row of arguments once | ` + "`sumDistinct(x)`" + ` |
| ` + "`-OrNull`" + ` | gives NULL of no rows | ` + "`sumOrNull(x)`" + ` |
| ` + "`-OrDefault`" + ` | gives the type's default of no rows | ` + "`avgOrDefault(x)`" + ` |
| ` + "`-State`" + ` | gives the state, of type AggregateFunction, instead of the result | ` + "`uniqState(x)`" + ` |
| ` + "`-Merge`" + ` | joins states into a result | ` + "`uniqMerge(s)`" + ` |
| ` + "`-MergeState`" + ` | joins states into a state | ` + "`uniqMergeState(s)`" + ` |
| ` + "`-SimpleState`" + ` | gives the result as SimpleAggregateFunction | ` + "`sumSimpleState(x)`" + ` |
`

// Every example of a scalar function gives what it says.
func TestExamples(t *testing.T) {
	for _, f := range function.All() {
		if f.Aggregate || f.AliasTo != "" || f.Example == "" {
			continue
		}
		expr, want, ok := strings.Cut(f.Example, " → ")
		if !ok {
			t.Errorf("%s: the example %q has no result", f.Name, f.Example)
			continue
		}
		_, got, _ := strings.Cut(answer(expr, 1, false), "\t")
		if got != want && got != strings.Trim(want, "'") {
			t.Errorf("%s: %s gives %s", f.Name, f.Example, got)
		}
	}
}
