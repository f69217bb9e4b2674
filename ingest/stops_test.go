package ingest

import (
	"fmt"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestPlanStops: partitions are consumed up to where they end for now, begin no further, pass no gap further, and are left alone if no end is told.
func TestPlanStops(t *testing.T) {
	tp, id := TopicPartition{"t", 0}, TopicID{1}
	at := func(next int64) Position {
		return Position{Cursors: map[TopicPartition]Cursor{tp: {Next: next, TopicID: id}}}
	}
	for _, c := range []struct {
		name   string
		pos    Position
		stops  map[TopicPartition]int64
		latest bool
		want   string
	}{
		{"before it", at(5), map[TopicPartition]int64{tp: 7}, false, "consuming 5 to 7"},
		{"at it", at(7), map[TopicPartition]int64{tp: 7}, false, "at_stop 7 to 7"},
		{"not told", at(5), map[TopicPartition]int64{}, false, "at_stop 5 to 0"},
		{"new, not told", Position{}, map[TopicPartition]int64{}, false, "at_stop 0 to 0"},
		{"new", Position{}, map[TopicPartition]int64{tp: 7}, false, "consuming 3 to 7 commit [3, 3)"},
		{"new, latest", Position{}, map[TopicPartition]int64{tp: 7}, true, "at_stop 7 to 7 commit [7, 7)"},
		{"a gap before it", at(1), map[TopicPartition]int64{tp: 7}, false, "consuming 3 to 7 commit [1, 3)"},
		{"a gap past it", at(1), map[TopicPartition]int64{tp: 2}, false, "at_stop 2 to 2 commit [1, 2)"},
	} {
		as, first := plan(c.pos, []found{{TopicPartition: tp, id: id, start: 3, end: 9}}, &Options{Stops: c.stops, Config: Config{FromLatest: c.latest, SkipLoss: true}})
		got := fmt.Sprintf("%s %d to %d", as[0].state, as[0].next, as[0].stop)
		for _, r := range first {
			got += fmt.Sprintf(" commit [%d, %d)", r.Start, r.End)
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestTakeStops: what is fetched past the end for now is not taken, and the range ends there also where no message does.
func TestTakeStops(t *testing.T) {
	table := column.Schema{{Name: "id", Type: types.TUInt64}}
	cfg, err := ParseConfig([]string{"'h:1'", "'t'", "'g'", "JSONEachRow"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for stop, want := range map[int64]string{3: "[0, 3) 2 rows", 4: "[0, 4) 3 rows", 2: "[0, 2) 2 rows", 100: "[0, 8) 4 rows"} {
		d, err := newMessageDecoder(&cfg, table, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := reader{cfg: &cfg, schema: table, virtual: cfg.VirtualColumns(table)}
		p := &partition{TopicPartition: TopicPartition{"t", 0}, decoder: d, stop: stop}
		var recs []*kgo.Record
		for _, o := range []int64{0, 1, 3, 7} {
			recs = append(recs, &kgo.Record{Topic: "t", Offset: o, Value: fmt.Appendf(nil, `{"id":%d}`, o)})
		}
		if err := r.take(testContext(t), p, recs); err != nil {
			t.Fatal(err)
		}
		b := r.seal([]*partition{p})
		if got := fmt.Sprintf("[%d, %d) %d rows", b.Ranges[0].Start, b.Ranges[0].End, b.rows); got != want || p.next != b.Ranges[0].End {
			t.Errorf("stop %d: %s, next %d; want %s", stop, got, p.next, want)
		}
	}
}
