package ingest

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/types"
	"github.com/twmb/franz-go/pkg/kgo"
)

// takeRecords runs records of partition 0 through a reader and returns the batch.
func takeRecords(t *testing.T, table column.Schema, settings map[string]string, recs ...*kgo.Record) (sealed, column.Schema) {
	t.Helper()
	cfg, err := ParseConfig(nil, settings)
	if err != nil {
		t.Fatal(err)
	}
	var reg *registry
	if cfg.Registry != "" {
		if reg, err = newRegistry(cfg.Registry, nil); err != nil {
			t.Fatal(err)
		}
		defer reg.close()
	}
	d, err := newMessageDecoder(&cfg, table, reg)
	if err != nil {
		t.Fatal(err)
	}
	r := reader{database: "d", table: "t", cfg: &cfg, schema: table, virtual: cfg.VirtualColumns(table)}
	p := &partition{TopicPartition: TopicPartition{"a", 0}, decoder: d, stop: math.MaxInt64}
	for i, rec := range recs {
		rec.Topic, rec.Offset = "a", int64(i)
	}
	if err := r.take(testContext(t), p, recs); err != nil {
		t.Fatal(err)
	}
	return r.seal([]*partition{p}), append(append(column.Schema{}, table...), r.virtual...)
}

// show prints a block, a row a line.
func show(b *column.Block, s column.Schema) string {
	var out strings.Builder
	for i := range b.N {
		for c, f := range s {
			fmt.Fprintf(&out, "%s=%v ", f.Name, column.Value(b.Cols[c], i))
		}
		out.WriteString("|\n")
	}
	return out.String()
}

const wantVirtual = `id=1 name=n1 _topic=a _key=key _offset=0 _partition=0 _timestamp=1700000000 _timestamp_ms=1700000000123 _headers.name=[h i] _headers.value=[1 ] _raw_message= _error= |
id=2 name=n2 _topic=a _key=key _offset=0 _partition=0 _timestamp=1700000000 _timestamp_ms=1700000000123 _headers.name=[h i] _headers.value=[1 ] _raw_message= _error= |
id=0 name= _topic=a _key=key _offset=1 _partition=0 _timestamp=1700000000 _timestamp_ms=1700000000123 _headers.name=[h i] _headers.value=[1 ] _raw_message=oops _error=Cannot parse JSON: expected '{', got 'o' |
id=3 name=n3 _topic=a _key= _offset=2 _partition=0 _timestamp=<nil> _timestamp_ms=<nil> _headers.name=[] _headers.value=[] _raw_message= _error= |
`

func TestVirtualColumns(t *testing.T) {
	rec := func(v string) *kgo.Record {
		return &kgo.Record{Key: []byte("key"), Value: []byte(v), Timestamp: time.UnixMilli(1700000000123),
			Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("1")}, {Key: "i", Value: nil}}}
	}
	bare := &kgo.Record{Value: []byte(event(3)), Timestamp: time.UnixMilli(-1)}
	s, schema := takeRecords(t, testSchema, with("kafka_handle_error_mode", "stream"), rec(event(1)+event(2)), rec("oops"), bare)
	var names []string
	for _, f := range schema {
		names = append(names, f.Name+" "+f.Type.String())
	}
	const want = "id UInt64, name String, _topic LowCardinality(String), _key String, _offset UInt64, _partition UInt64, _timestamp Nullable(DateTime), " +
		"_timestamp_ms Nullable(DateTime64(3)), _headers.name Array(String), _headers.value Array(String), _raw_message String, _error String"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("columns %s", got)
	}
	if got := show(s.Rows, schema); got != wantVirtual {
		t.Errorf("rows\n%s", got)
	}
	if s.rows != 4 || s.Rows.N != 4 || len(s.DeadLetters) != 0 {
		t.Fatalf("%+v", s)
	}
	for i, f := range schema {
		if s.Rows.Cols[i].Len() != 4 || !s.Rows.Cols[i].Type().Equal(f.Type.WithoutLowCardinality()) {
			t.Errorf("column %s has %d values of type %s", f.Name, s.Rows.Cols[i].Len(), s.Rows.Cols[i].Type())
		}
	}
	own := append(column.Schema{{Name: "_key", Type: types.TString}}, testSchema...)
	cfg, _ := ParseConfig(nil, minimal)
	if v := cfg.VirtualColumns(own); len(v) != 7 {
		t.Errorf("a column of the table does not hide a virtual one: %v", v)
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		format, msg string
		rows, bad   int
	}{
		{"JSONEachRow", event(1), 1, 0},
		{"JSONEachRow", event(1) + "\n" + event(2) + "\n", 2, 0},
		{"JSONEachRow", "[" + event(1) + "," + event(2) + "]", 2, 0},
		{"JSONEachRow", `{"id":1`, 0, 1},
		{"JSONEachRow", "", 0, 0},
		{"JSONEachRow", `{"id":1}` + "\n" + `{"id":-}`, 0, 1},
		{"CSV", "1,one\n2,two", 2, 0},
		{"CSV", "x,one", 0, 1},
		{"TSV", "1\tone\n", 1, 0},
		{"TabSeparated", "1", 0, 1},
		{"JSONCompactEachRow", `[1,"a"]`, 1, 0},
		{"CSVWithNames", "name,id\none,1\n", 1, 0},
		{"Avro", "Obj\x01", 0, 1},
	} {
		s, _ := takeRecords(t, testSchema, with("kafka_format", c.format), &kgo.Record{Value: []byte(c.msg)})
		if s.rows != c.rows || s.Rows.N != c.rows || len(s.DeadLetters) != c.bad {
			t.Errorf("%s %q: %d rows, dead letters %+v", c.format, c.msg, s.rows, s.DeadLetters)
		}
		if r := s.Ranges[0]; r.Start != 0 || r.End != 1 || r.First != 0 || r.Last != 0 {
			t.Errorf("range %+v", r)
		}
	}
}

func TestAvroConfluent(t *testing.T) {
	const text = `{"type":"record","name":"r","fields":[{"name":"name","type":"string"},{"name":"id","type":"long"}]}`
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if user, pass, _ := r.BasicAuth(); user != "u" || pass != "p" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if !strings.HasPrefix(r.URL.Path, "/schemas/ids/7") {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error_code":40403,"message":"Schema not found"}`)
			return
		}
		fmt.Fprintf(w, `{"schema":%q}`, text)
	}))
	defer srv.Close()
	rec := func(id uint32, v any) *kgo.Record {
		body, err := avro.Marshal(avro.MustParse(text), v)
		if err != nil {
			t.Fatal(err)
		}
		return &kgo.Record{Value: append(binary.BigEndian.AppendUint32([]byte{0}, id), body...)}
	}
	good := map[string]any{"name": "x", "id": int64(5)}
	settings := with("kafka_format", "AvroConfluent", "format_avro_schema_registry_url", strings.Replace(srv.URL, "://", "://u:p@", 1))
	s, _ := takeRecords(t, testSchema, settings, rec(7, good), rec(7, good), rec(8, good), &kgo.Record{Value: []byte("no")}, &kgo.Record{Value: []byte{0, 0, 0, 0, 7, 99}})
	if s.rows != 2 || len(s.DeadLetters) != 3 || asked.Load() != 2 {
		t.Errorf("%d rows, %d questions, dead letters %+v", s.rows, asked.Load(), s.DeadLetters)
	}
	if id := s.Rows.Cols[0].(*column.Num[uint64]).Data; id[0] != 5 {
		t.Errorf("ids %v", id)
	}
}

// TestAvroOfNothing: an array of nulls is as long as a message says, whatever its size.
func TestAvroOfNothing(t *testing.T) {
	for _, items := range []string{`"null"`, `{"type":"record","name":"e","fields":[]}`, `{"type":"fixed","name":"f","size":0}`} {
		_, err := format.NewAvroDecoder(`{"type":"record","name":"r","fields":[{"name":"m","type":{"type":"map","values":["null",{"type":"array","items":`+items+`}]}}]}`, format.Defaults())
		if err == nil {
			t.Errorf("%s: %v", items, err)
		}
	}
}

// TestRegistryDown: a registry that does not answer makes nothing a dead letter.
func TestRegistryDown(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	defer srv.Close()
	reg, err := newRegistry(srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reg.close()
	if _, err := reg.schema(testContext(t), 1); !isUnavailable(err) {
		t.Errorf("%v", err)
	}
}

func TestFreshness(t *testing.T) {
	var f Freshness
	for ms := range int64(1000) {
		f.add(ms)
	}
	s := f.Snapshot()
	for q, want := range map[float64]int64{0.5: 500, 0.99: 990, 0.1: 100} {
		if got := s.Quantile(q).Milliseconds(); float64(got) < 0.85*float64(want) || float64(got) > 1.15*float64(want) {
			t.Errorf("quantile %v is %d ms, not about %d", q, got, want)
		}
	}
	f.add(1 << 60)
	if d := f.Snapshot().Sub(s); d.Count() != 1 || d.Quantile(0.5) < time.Hour {
		t.Errorf("difference %v", d)
	}
	if (FreshnessCounts{}).Quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
}
