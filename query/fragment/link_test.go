package fragment

import (
	"io"
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
)

// endedStream is one whose handler has returned, with an error or none, before anything was sent.
type endedStream struct{ why error }

func (endedStream) Send([]byte) error       { return io.EOF }
func (s endedStream) Recv() ([]byte, error) { return nil, s.why }
func (endedStream) CloseSend() error        { return nil }

// TestAskEnded: a node that ends a stream before it takes the question is one that cannot be reached, or has said what is wrong; the end of the stream is no
// error of the query's.
func TestAskEnded(t *testing.T) {
	for _, tc := range []struct {
		why  error
		want sqlerr.Code
	}{
		{io.EOF, sqlerr.NetworkError},
		{sqlerr.New(sqlerr.AllConnectionTriesFailed, "going"), sqlerr.AllConnectionTriesFailed},
	} {
		c := &conn{s: endedStream{tc.why}}
		if err := c.ask("node-2", msgPin, []byte("question")); !sqlerr.Is(err, tc.want) {
			t.Errorf("ended with %v: %v, not code %d", tc.why, err, tc.want)
		}
	}
}
