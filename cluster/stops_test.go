package cluster

import (
	"errors"
	"testing"

	"github.com/olapd/olapd/internal/catalog"
)

// TestStops: a shard takes of a Kafka table that is stopped what ends where it stops or before, of the topic that was meant; and a partition that is handed on under an older version
// of the Kafka table has no effect. With the fence switched off more is taken.
func TestStops(t *testing.T) {
	id, other := TopicID{1}, TopicID{2}
	for _, off := range []bool{false, true} {
		s := newSimulation(1, fences{noStops: off})
		s.schema(testTableID("kafka", simKafka))
		commit := func(r SourceRange) error {
			r.Source, r.Topic, r.First, r.Last = simKafka, "t", -1, -1
			return s.apply(header{term: s.term, schema: s.fsm.state.schema}, &appendRows{ranges: []SourceRange{r}}).err
		}
		must(t, commit(SourceRange{TopicID: id, Start: 5, End: 10}))
		before := s.fsm.state.schema
		stopped := testTableID("kafka", simKafka)
		stopped.StoppedFor = simBase
		s.schema(stopped)
		if err := commit(SourceRange{TopicID: id, Start: 10, End: 11}); errors.Is(err, errBeyondStop) == off {
			t.Errorf("off %v: without a stop: %v", off, err)
		}
		if off {
			continue
		}
		until := *stopped
		until.Stops = []catalog.Stop{{Topic: "t", TopicID: id.String(), Next: 20}}
		s.schema(&until)
		must(t, commit(SourceRange{TopicID: id, Start: 10, End: 12}))
		for what, r := range map[string]SourceRange{
			"beyond":            {TopicID: id, Start: 12, End: 21},
			"another partition": {TopicID: id, Partition: 1, Start: 0, End: 1},
			"another topic":     {TopicID: other, Start: 12, End: 13, Gap: true, Expect: 12},
		} {
			if err := commit(r); !errors.Is(err, errBeyondStop) {
				t.Errorf("%s: %v", what, err)
			}
		}
		must(t, commit(SourceRange{TopicID: id, Start: 12, End: 20}))
		hand := func(schema uint64, m moveSource) error {
			m.source, m.topic, m.topicID = simKafka, "t", id
			return s.apply(header{term: s.term, schema: schema}, &m).err
		}
		if err := hand(before, moveSource{next: 20}); !errors.Is(err, ErrSchemaChanged) {
			t.Errorf("released under an older version: %v", err)
		}
		must(t, hand(s.fsm.state.schema, moveSource{next: 20}))
		must(t, hand(s.fsm.state.schema, moveSource{acquire: true, next: 30}))
		if err := hand(before, moveSource{acquire: true, next: 20}); !errors.Is(err, ErrSchemaChanged) {
			t.Errorf("acquired under an older version: %v", err)
		}
		s.schema(testTableID("kafka", simKafka))
		must(t, commit(SourceRange{TopicID: id, Start: 30, End: 50}))
	}
}
