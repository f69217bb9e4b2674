package ingest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestPlan(t *testing.T) {
	old, now := TopicID{1}, TopicID{2}
	at := func(part int32, id TopicID, next int64) Position {
		return Position{Cursors: map[TopicPartition]Cursor{{"t", part}: {Next: next, TopicID: id}}}
	}
	log := func(part int32, start, end int64) []found {
		return []found{{TopicPartition: TopicPartition{"t", part}, id: now, start: start, end: end}}
	}
	for _, c := range []struct {
		name         string
		pos          Position
		parts        []found
		latest, skip bool
		want         string
	}{
		{"first seen", Position{}, log(0, 3, 9), false, false, "t/0 consuming 3 commit t/0 [3, 3)"},
		{"first seen, latest", Position{}, log(0, 3, 9), true, false, "t/0 consuming 9 commit t/0 [9, 9)"},
		{"added later, latest", at(1, now, 5), log(0, 0, 9), true, false, "t/0 consuming 0 commit t/0 [0, 0)"},
		{"goes on", at(0, now, 5), log(0, 3, 9), true, false, "t/0 consuming 5"},
		{"at the end", at(0, now, 9), log(0, 3, 9), false, false, "t/0 consuming 9"},
		{"at the start", at(0, now, 3), log(0, 3, 9), false, false, "t/0 consuming 3"},
		{"lost", at(0, now, 2), log(0, 3, 9), false, false, "t/0 halted_data_loss 2"},
		{"lost, skipped", at(0, now, 2), log(0, 3, 9), false, true, "t/0 consuming 3 commit t/0 [2, 3) gap behind 2"},
		{"truncated", at(0, now, 10), log(0, 3, 9), false, true, "t/0 halted_truncated 10"},
		{"recreated", at(0, old, 5), log(0, 0, 9), true, false, "t/0 halted_recreated 5"},
		{"recreated, skipped", at(0, old, 5), log(0, 0, 9), true, true, "t/0 consuming 0 commit t/0 [0, 0) gap behind 5"},
		{"recreated with more partitions", at(1, old, 5), log(0, 0, 9), true, false, "t/0 halted_recreated 0"},
		{"recreated with more partitions, skipped", at(1, old, 5), log(0, 0, 9), true, true, "t/0 consuming 0 commit t/0 [0, 0) gap behind -1"},
		{"not there", at(0, now, 5), []found{{TopicPartition: TopicPartition{"t", 0}, err: errors.New("no leader")}}, false, true, "t/0 unavailable 5"},
	} {
		as, first := plan(c.pos, c.parts, &Options{Config: Config{FromLatest: c.latest, SkipLoss: c.skip}})
		var got []string
		for _, a := range as {
			got = append(got, fmt.Sprintf("%s %s %d", a.TopicPartition, a.state, a.next))
			if (a.state == Consuming) != (a.reason == "") {
				t.Errorf("%s: state %s for the reason %q", c.name, a.state, a.reason)
			}
		}
		for _, r := range first {
			s := fmt.Sprintf("commit %s [%d, %d)", r.TopicPartition, r.Start, r.End)
			if r.Gap != "" {
				s += fmt.Sprintf(" gap behind %d", r.Expect)
			}
			if r.TopicID != now || r.First != -1 || r.Last != -1 {
				t.Errorf("%s: range %+v", c.name, r)
			}
			got = append(got, s)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, s, c.want)
		}
	}
}
