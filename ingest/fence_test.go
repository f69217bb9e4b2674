package ingest

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
)

// TestTwoConsumers has an old leader's consumer that does not know that it is one: both consume the same source. The fences
// of the shard keep every row single; without them the same run doubles rows, which shows that it would be seen.
func TestTwoConsumers(t *testing.T) {
	t.Parallel()
	for _, loose := range []bool{false, true} {
		b := newBroker(t)
		b.topic("a", 2)
		s := newShard(t)
		s.loose = loose
		one, two := b.start(s, "a"), b.start(s, "a")
		for i := range 10 {
			b.produceIDs("a", 2, i*50, i*50+50)
			wait(t, one, "rows", func() bool { return s.count() >= i*50+50 })
		}
		if !loose {
			s.ids(500)
			continue
		}
		wait(t, two, "doubled rows", func() bool { return s.count() > 500 })
	}
}

// TestRegistryOutage: while the registry is down the partition waits, with what came before committed; nothing is lost or
// becomes a dead letter.
func TestRegistryOutage(t *testing.T) {
	t.Parallel()
	const text = `{"type":"record","name":"r","fields":[{"name":"id","type":"long"}]}`
	var down atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() && r.URL.Path == "/schemas/ids/2" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte(`{"schema":"{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"}]}"}`))
	}))
	defer srv.Close()
	message := func(schema uint32, id int) string {
		body, err := avro.Marshal(avro.MustParse(text), map[string]any{"id": int64(id)})
		if err != nil {
			t.Fatal(err)
		}
		return string(append(binary.BigEndian.AppendUint32([]byte{0}, schema), body...))
	}
	down.Store(true)
	b := newBroker(t)
	b.topic("a", 1)
	b.produce("a", 0, message(1, 0), message(1, 1), message(2, 2), message(1, 3))
	s := newShard(t)
	c := b.start(s, "a", "kafka_format", "AvroConfluent", "format_avro_schema_registry_url", srv.URL)
	wait(t, c, "what came before", func() bool { return s.count() == 2 && c.Status().State == Retrying })
	down.Store(false)
	wait(t, c, "the rest", func() bool { return s.count() == 4 })
	s.ids(4)
	if len(s.mu.letters) != 0 {
		t.Errorf("dead letters %+v", s.mu.letters)
	}
}

// TestCursorsFail: a shard that has no leader yet is asked again.
func TestCursorsFail(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.topic("a", 1)
	b.produceIDs("a", 1, 0, 5)
	s := &leaderless{shard: newShard(t)}
	s.until = time.Now().Add(200 * time.Millisecond)
	c := b.start(s, "a")
	wait(t, c, "rows", func() bool { return s.count() == 5 })
	if x := c.Status().Exceptions; len(x) == 0 {
		t.Error("no exceptions are shown")
	}
}

type leaderless struct {
	*shard
	until time.Time
}

func (l *leaderless) Cursors(ctx context.Context, id string) (Position, error) {
	if time.Now().Before(l.until) {
		return Position{}, errors.New("no leader")
	}
	return l.shard.Cursors(ctx, id)
}
