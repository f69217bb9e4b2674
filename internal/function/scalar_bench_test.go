package function

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

const benchRows = 8192

// benchColumns are the arguments of BenchmarkScalars by letter.
func benchColumns() map[string]column.Vector {
	i32, i64, u8, u16, f64 := make([]int32, benchRows), make([]int64, benchRows), make([]uint8, benchRows), make([]uint16, benchRows), make([]float64, benchRows)
	dt, date := make([]uint32, benchRows), make([]uint16, benchRows)
	nulls := make([]uint8, benchRows)
	s, n := column.NewStr(types.TString, benchRows), column.NewStr(types.TString, benchRows)
	for i := range benchRows {
		i32[i], i64[i], u8[i], u16[i], f64[i] = int32(i*7919)-1e6, int64(i)*1e12+7, uint8(i*31%2), uint16(i*13), float64(i)/3
		dt[i], date[i], nulls[i] = 1_373_000_000+uint32(i*977), uint16(15_900+i%400), uint8(i%7/6)
		s.AppendString(fmt.Sprintf("http://www.Example%d.com/some/path?q=%d&lang=en", i%100, i))
		n.AppendString(fmt.Sprint(i * 31))
	}
	berlin, _ := time.LoadLocation("Europe/Berlin")
	return map[string]column.Vector{
		"i": column.NewNum(types.TInt32, i32), "l": column.NewNum(types.TInt64, i64), "b": column.NewNum(types.TUInt8, u8), "h": column.NewNum(types.TUInt16, u16),
		"f": column.NewNum(types.TFloat64, f64), "t": column.NewNum(types.TDateTime, dt), "d": column.NewNum(types.TDate, date), "s": s, "n": n,
		"N": column.NewNullable(nulls, column.NewNum(types.TInt32, i32)),
		"z": column.NewNum(types.NewDateTime(berlin), dt),
	}
}

// BenchmarkScalars: ns per row of the functions that queries use most. Arguments are columns, by letter, or constants.
func BenchmarkScalars(b *testing.B) {
	one := func(x uint8) column.Vector { return column.NewNum(types.TUInt8, []uint8{x}) }
	text := func(s string) column.Vector { return column.NewStrings(s) }
	cols := benchColumns()
	env := &Env{Ctx: context.Background(), Now: time.Unix(1e9, 0), Zone: time.UTC}
	for _, c := range []struct {
		name string
		args []any
	}{
		{"toMinute", []any{"t"}}, {"toMinute", []any{"z"}}, {"toHour", []any{"t"}}, {"toHour", []any{"z"}}, {"toDate", []any{"t"}}, {"toDate", []any{"z"}}, {"toYear", []any{"t"}}, {"toYear", []any{"d"}},
		{"toMonth", []any{"d"}}, {"toYYYYMM", []any{"d"}}, {"toDayOfWeek", []any{"d"}}, {"toStartOfMinute", []any{"t"}}, {"toStartOfHour", []any{"t"}}, {"toStartOfHour", []any{"z"}}, {"toStartOfDay", []any{"t"}},
		{"toStartOfDay", []any{"z"}}, {"toStartOfMonth", []any{"t"}}, {"toStartOfMonth", []any{"d"}}, {"toStartOfWeek", []any{"d"}}, {"toStartOfFiveMinutes", []any{"t"}}, {"dateTrunc", []any{text("minute"), "t"}},
		{"toUnixTimestamp", []any{"t"}}, {"toDateTime", []any{"d"}}, {"formatDateTime", []any{"t", text("%Y-%m-%d")}}, {"toString", []any{"t"}}, {"addDays", []any{"d", one(3)}}, {"dateDiff", []any{text("day"), "d", "t"}},
		{"if", []any{"b", "i", "i"}}, {"if", []any{"b", "s", text("")}}, {"if", []any{"b", "l", one(0)}}, {"multiIf", []any{"b", "i", "b", one(1), one(2)}}, {"coalesce", []any{"N", one(0)}}, {"ifNull", []any{"N", one(0)}}, {"isNull", []any{"N"}},
		{"and", []any{"b", "b"}}, {"or", []any{"b", "b", "b"}}, {"not", []any{"b"}},
		{"toString", []any{"i"}}, {"toInt64", []any{"i"}}, {"toInt32", []any{"n"}}, {"toFloat64", []any{"i"}}, {"toFloat64", []any{"n"}}, {"round", []any{"f", one(1)}}, {"floor", []any{"f"}}, {"sqrt", []any{"f"}}, {"greatest", []any{"i", "l"}}, {"abs", []any{"i"}},
		{"intDiv", []any{"i", one(7)}}, {"modulo", []any{"i", one(7)}}, {"bitAnd", []any{"i", one(7)}}, {"negate", []any{"i"}},
		{"length", []any{"s"}}, {"empty", []any{"s"}}, {"lower", []any{"s"}}, {"upper", []any{"s"}}, {"lengthUTF8", []any{"s"}}, {"substring", []any{"s", one(3), one(10)}}, {"concat", []any{"s", text("-"), "n"}}, {"concat", []any{"s", "i"}},
		{"position", []any{"s", text("path")}}, {"startsWith", []any{"s", text("http:")}}, {"endsWith", []any{"s", text("en")}}, {"replaceAll", []any{"s", text("some"), text("any")}}, {"domain", []any{"s"}}, {"splitByChar", []any{text("/"), "s"}}, {"trim", []any{"s"}},
		{"reverse", []any{"s"}}, {"left", []any{"s", one(5)}}, {"cutToFirstSignificantSubdomain", []any{"s"}}, {"extract", []any{"s", text(`q=(\d+)`)}}, {"match", []any{"s", text(`q=1\d+`)}},
		{"cityHash64", []any{"s"}}, {"cityHash64", []any{"l"}}, {"cityHash64", []any{"s", "l"}}, {"xxHash64", []any{"s"}}, {"sipHash64", []any{"s"}}, {"toUInt8", []any{"i"}},
		{"multiSearchAny", []any{"s", arrayOf("abc", "path9", "lang")}}, {"hasToken", []any{"s", text("path")}}, {"tuple", []any{"i", "s"}}, {"array", []any{"i", "i"}}, {"JSONExtractString", []any{"s", text("a")}},
	} {
		args, vals, name := make([]Arg, len(c.args)), make([]column.Vector, len(c.args)), c.name
		for k, a := range c.args {
			switch a := a.(type) {
			case string:
				vals[k] = cols[a]
				args[k].Type, name = cols[a].Type(), name+" "+cols[a].Type().String()
			case column.Vector:
				vals[k] = &column.Const{Value: a, N: benchRows}
				args[k] = Arg{Type: a.Type(), Const: a}
				name += " const"
			}
		}
		fn, err := Bind(env, c.name, args)
		if err != nil {
			b.Errorf("%s: %v", name, err)
			continue
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := fn.Call(env, vals, nil, benchRows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		})
	}
}

func arrayOf(texts ...string) column.Vector {
	a := column.New(types.NewArray(types.TString), 1).(*column.Array)
	for _, s := range texts {
		a.Elem.(*column.Str).AppendString(s)
	}
	a.EndValue()
	return a
}
