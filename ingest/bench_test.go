package ingest

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/twmb/franz-go/pkg/kgo"
)

// BenchmarkTake decodes messages of web analytics into rows, virtual columns included; bytes are the messages'.
func BenchmarkTake(b *testing.B) {
	table := column.Schema{{Name: "time", Type: types.TDateTime}, {Name: "user_id", Type: types.TUInt64}, {Name: "session", Type: types.TString},
		{Name: "url", Type: types.TString}, {Name: "country", Type: types.NewLowCardinality(types.TString)}, {Name: "latency", Type: types.TFloat64}}
	cfg, err := ParseConfig(nil, minimal)
	if err != nil {
		b.Fatal(err)
	}
	var recs []*kgo.Record
	size := 0
	for i := range 10000 {
		v := fmt.Appendf(nil, `{"time":"2024-05-06 07:08:%02d","user_id":%d,"session":"%032x","url":"https://example.com/p/%d?q=%d","country":"DE","latency":%d.5}`,
			i%60, i*7919, i, i%100, i, i%300)
		recs = append(recs, &kgo.Record{Topic: "a", Offset: int64(i), Key: []byte("key"), Value: v, Timestamp: time.UnixMilli(1700000000000)})
		size += len(v)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		d, err := newMessageDecoder(&cfg, table, nil)
		if err != nil {
			b.Fatal(err)
		}
		r := reader{cfg: &cfg, schema: table, virtual: cfg.VirtualColumns(table)}
		p := &partition{decoder: d, stop: math.MaxInt64}
		if err := r.take(context.Background(), p, recs); err != nil {
			b.Fatal(err)
		}
		if s := r.seal([]*partition{p}); s.rows != len(recs) {
			b.Fatal(s.DeadLetters[0])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(recs)), "ns/row")
}
