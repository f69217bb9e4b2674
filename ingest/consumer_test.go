package ingest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestConsume(t *testing.T) {
	t.Parallel()
	testConsume(t, newBroker(t))
}

func testConsume(t *testing.T, b *broker) {
	topic := b.topic(b.name("a"), 3)
	b.produceIDs(topic, 3, 0, 999)
	s := newShard(t)
	c := b.start(s, topic)
	wait(t, c, "first rows", func() bool { return s.count() == 999 })
	b.produceIDs(topic, 3, 999, 1500)
	wait(t, c, "more rows", func() bool { return s.count() == 1500 })
	s.ids(1500)
	st := c.Status()
	if st.State != Running || st.Messages != 1500 || st.Rows != 1500 || len(st.Partitions) != 3 || st.Freshness.Count() != 1500 {
		t.Errorf("status %+v", st)
	}
	for _, p := range st.Partitions {
		if p.Next != 500 || p.Lag() != 0 || p.State != Consuming {
			t.Errorf("partition %+v", p)
		}
	}
	c.Close()
	b.produceIDs(topic, 3, 1500, 1600)
	c = b.start(s, topic)
	wait(t, c, "rows after a restart", func() bool { return s.count() == 1600 })
	s.ids(1600)
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	testDeadLetters(t, newBroker(t))
}

func testDeadLetters(t *testing.T, b *broker) {
	topic := b.topic(b.name("a"), 1)
	b.produce(topic, 0, event(0), "garbage", `{"id":1}{"id":2}`, "<nil>", `{"id":3}`+"\n"+`{"id":"x"}`, "", event(3))
	s := newShard(t)
	c := b.start(s, topic)
	wait(t, c, "rows", func() bool { return s.count() == 4 })
	s.ids(4)
	if l := s.mu.letters; len(l) != 2 || l[0].Offset != 1 || string(l[0].Raw) != "garbage" || string(l[0].Key) != "k" || l[0].Error == "" ||
		l[1].Offset != 4 || l[0].Table != "q" || l[0].Timestamp.IsZero() {
		t.Errorf("dead letters %+v", l)
	}
	wait(t, c, "the cursor", func() bool { return c.Status().Partitions[0].Next == 7 })
}

// TestFailures has commits fail before and after they take effect, and terms change, at random.
func TestFailures(t *testing.T) {
	t.Parallel()
	testFailures(t, newBroker(t))
}

func testFailures(t *testing.T, b *broker) {
	topic := b.topic(b.name("a"), 3)
	s := newShard(t)
	rng := rand.New(rand.NewPCG(1, 2))
	s.before = func(int, Batch) error {
		switch rng.IntN(6) {
		case 0:
			return errors.New("refused")
		case 1:
			s.mu.term++
		}
		return nil
	}
	s.after = func(int, Batch) error {
		if rng.IntN(6) == 0 {
			return errors.New("unknown outcome")
		}
		return nil
	}
	c := b.start(s, topic)
	for i := range 20 {
		b.produceIDs(topic, 3, i*100, i*100+100)
		wait(t, c, "rows", func() bool { return s.count() >= i*100+100 })
	}
	s.ids(2000)
	if len(c.Status().Exceptions) == 0 {
		t.Error("no exceptions are shown")
	}
}

// TestBadRows has the committer refuse certain rows for good.
func TestBadRows(t *testing.T) {
	t.Parallel()
	testBadRows(t, newBroker(t))
}

func testBadRows(t *testing.T, b *broker) {
	topic := b.topic(b.name("a"), 2)
	b.produceIDs(topic, 2, 0, 200)
	s := newShard(t)
	s.before = func(_ int, b Batch) error {
		for i := range b.Rows.N {
			if id := rowAt(b.Rows, i).ID; id == 17 || id == 100 {
				return fmt.Errorf("%w: cannot convert %d", ErrBadRows, id)
			}
		}
		return nil
	}
	c := b.start(s, topic)
	wait(t, c, "all rows", func() bool { return s.count() == 198 && c.Status().DeadLetters == 2 })
	for _, l := range s.mu.letters {
		if string(l.Raw) != event(17) && string(l.Raw) != event(100) {
			t.Errorf("dead letter %+v", l)
		}
	}
}
