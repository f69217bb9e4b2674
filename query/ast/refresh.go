package ast

import "strings"

// Refresh is the REFRESH of a materialized view, which is computed anew at times instead of with each insert.
type Refresh struct {
	Range
	// After says that Period counts from the end of the last refresh; else refreshes are at the multiples of Period, Offset later.
	After                  bool
	Period, Offset, Spread TimeSpan
	DependsOn              []TableName
	Settings               []Setting
	// Append says that the rows of a refresh are added to those that are there, instead of replacing them.
	Append bool
}

// TimeSpan is a time such as 1 DAY 2 HOUR: numbers of units, whose names are in the singular and upper case.
type TimeSpan []TimePart

// TimePart is a number of one unit.
type TimePart struct {
	N    uint64
	Unit string
}

// String prints the span as SQL.
func (t TimeSpan) String() string {
	parts := make([]string, len(t))
	for i, p := range t {
		parts[i] = uintText(p.N) + " " + p.Unit
	}
	return strings.Join(parts, " ")
}

// refresh prints a REFRESH without that word.
func (p *printer) refresh(r *Refresh) {
	p.put(map[bool]string{true: "AFTER ", false: "EVERY "}[r.After], r.Period.String())
	p.when(r.Offset != nil, " OFFSET "+r.Offset.String())
	p.when(r.Spread != nil, " RANDOMIZE FOR "+r.Spread.String())
	for i, n := range r.DependsOn {
		p.put([]string{" DEPENDS ON ", ", "}[min(i, 1)], n.format())
	}
	if len(r.Settings) > 0 {
		p.put(" SETTINGS ")
		p.settings(r.Settings)
	}
	p.when(r.Append, " APPEND")
}
