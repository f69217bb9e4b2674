package parse

import (
	"strconv"
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// refresh takes what follows REFRESH.
func (p *parser) refresh() *ast.Refresh {
	start := p.at().start
	r := &ast.Refresh{}
	switch p.anyWords("EVERY", "AFTER") {
	case "AFTER":
		r.After = true
	case "":
		p.failWant("AFTER")
	}
	r.Period = p.timeSpan()
	if !r.After && p.words("OFFSET") {
		r.Offset = p.timeSpan()
	}
	if p.words("RANDOMIZE FOR") {
		r.Spread = p.timeSpan()
	}
	if p.words("DEPENDS ON") {
		r.DependsOn = append(r.DependsOn, p.tableName())
		for p.symbol(",") {
			r.DependsOn = append(r.DependsOn, p.tableName())
		}
	}
	if p.words("SETTINGS") {
		r.Settings = p.settings()
	}
	r.Append = p.words("APPEND")
	r.Range = p.from(start)
	return r
}

// spanUnits are the units of a time span, in the singular.
var spanUnits = map[string]bool{"SECOND": true, "MINUTE": true, "HOUR": true, "DAY": true, "WEEK": true, "MONTH": true, "QUARTER": true, "YEAR": true}

// timeSpan takes one or more numbers with their units.
func (p *parser) timeSpan() ast.TimeSpan {
	var out ast.TimeSpan
	for p.at().kind == tokNumber {
		n, err := strconv.ParseUint(p.src(p.at()), 10, 32)
		if err != nil {
			p.failWant("number")
		}
		p.pos++
		unit := strings.TrimSuffix(strings.ToUpper(p.src(p.at())), "S")
		if p.at().kind != tokWord || !spanUnits[unit] {
			p.failWant("interval unit")
		}
		p.pos++
		out = append(out, ast.TimePart{N: n, Unit: unit})
	}
	if out == nil {
		p.failWant("number")
	}
	return out
}
