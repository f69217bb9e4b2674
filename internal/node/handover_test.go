package node

import (
	"testing"

	"github.com/olapd/olapd/ingest"
)

// TestLaterRelease: of several shards that a partition was of, the place of the last one counts.
func TestLaterRelease(t *testing.T) {
	was, is := ingest.TopicID{1}, ingest.TopicID{2}
	for _, c := range []struct {
		what       string
		last, then released
	}{
		{"held until now, though another got as far once", released{Next: 5, TopicID: is, Live: true}, released{Next: 5, TopicID: is}},
		{"held until now, of a topic made anew", released{Next: 2, TopicID: is, Live: true}, released{Next: 9, TopicID: was}},
		{"nobody held it: further in the topic", released{Next: 7, TopicID: is}, released{Next: 5, TopicID: is}},
		{"nobody held it: the topic that there is", released{Next: 2, TopicID: is}, released{Next: 9, TopicID: was}},
	} {
		if !c.last.later(c.then, is) || c.then.later(c.last, is) {
			t.Errorf("%s: not %+v, but %+v", c.what, c.last, c.then)
		}
	}
}
