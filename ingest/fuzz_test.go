package ingest

import (
	"context"
	"math"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/types"
	"github.com/twmb/franz-go/pkg/kgo"
)

// FuzzMessage reads any bytes as a message of every format: rows or one dead letter, columns of equal length, and what came
// before and after it unharmed.
func FuzzMessage(f *testing.F) {
	formats := []string{"JSONEachRow", "CSV", "TSV", "JSONCompactEachRow", "CSVWithNames", "Avro", "RowBinary", "Native", "Values", "JSON", "TSKV", "RawBLOB"}
	for i := range formats {
		for _, s := range []string{"", event(1), event(1) + event(2), `{"id":1,"tags":["a"`, "1,one,2024-01-01", "1\ta\tb", "[1]", "Obj\x01\x00", "\x01\x02", "\xff\xfe", `(1,'a')`} {
			f.Add(byte(i), []byte(s))
		}
	}
	f.Add(byte(7), []byte("\x00\x80\xff\xff\x00")) // Native: two million rows of no column
	table := column.Schema{{Name: "id", Type: types.TUInt64}, {Name: "name", Type: types.NewLowCardinality(types.TString)},
		{Name: "day", Type: types.NewNullable(types.TDate)}, {Name: "tags", Type: types.NewArray(types.NewNullable(types.TFloat64))}}
	f.Fuzz(func(t *testing.T, which byte, msg []byte) {
		cfg, err := ParseConfig(nil, minimal)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Format = formats[int(which)%len(formats)]
		if x, err := format.Lookup(cfg.Format); err != nil || !x.Input() {
			return
		}
		d, err := newMessageDecoder(&cfg, table, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := reader{cfg: &cfg, schema: table, virtual: cfg.VirtualColumns(table)}
		p := &partition{decoder: d, stop: math.MaxInt64}
		if err := r.take(context.Background(), p, []*kgo.Record{{Offset: 0, Value: msg}, {Offset: 1, Value: msg}}); err != nil {
			t.Fatal(err)
		}
		s := r.seal([]*partition{p})
		if len(s.DeadLetters) != 0 && s.rows != 0 || len(s.DeadLetters) == 1 || s.rows%2 != 0 || s.Ranges[0].End != 2 {
			t.Errorf("%s %q: %d rows, %d dead letters", cfg.Format, msg, s.rows, len(s.DeadLetters))
		}
		for i, c := range s.Rows.Cols {
			if c.Len() != s.rows {
				t.Errorf("%s %q: column %d has %d values of %d", cfg.Format, msg, i, c.Len(), s.rows)
			}
		}
	})
}

// FuzzAvroRecord reads any bytes behind a schema id as a record.
func FuzzAvroRecord(f *testing.F) {
	const text = `{"type":"record","name":"r","fields":[{"name":"id","type":"long"},{"name":"name","type":["null","string","bytes"]},
		{"name":"day","type":{"type":"int","logicalType":"date"}},{"name":"tags","type":{"type":"array","items":["null","double"]}},
		{"name":"m","type":{"type":"map","values":{"type":"array","items":"int"}}},{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}}]}`
	f.Add([]byte{2, 0, 2, 0, 0, 0})
	f.Add([]byte{2, 2, 2, 'a', 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{2, 0, 2, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0})
	table := column.Schema{{Name: "id", Type: types.TUInt64}, {Name: "name", Type: types.TString}, {Name: "day", Type: types.TDate},
		{Name: "tags", Type: types.NewArray(types.NewNullable(types.TFloat64))}, {Name: "d", Type: types.NewDecimal(10, 2)}}
	d, err := format.NewAvroDecoder(text, format.Defaults())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		rows := format.NewRows(table)
		err := d.Decode(msg, rows)
		for i, c := range rows.Cols {
			if c.Len() != rows.N || err != nil && rows.N != 0 {
				t.Errorf("%q: column %d has %d values of %d, %v", msg, i, c.Len(), rows.N, err)
			}
		}
	})
}
