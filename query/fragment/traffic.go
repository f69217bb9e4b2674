package fragment

import "sync/atomic"

// Traffic counts bytes of messages between nodes, without what the network adds to them. It is safe for concurrent use.
type Traffic struct {
	// Sent left this node or went from one other node to another, Received came here: each byte is counted once.
	Sent, Received atomic.Int64
}

// Traffic is what went over the network for the query so far. What other nodes sent one another is in it when their fragments have ended.
func (q *Query) Traffic() *Traffic { return &q.traffic }

// counted is a stream whose messages are counted: in its own figures, and in those of all the streams it is one of.
type counted struct {
	Stream
	own, all *Traffic
}

func (c *counted) Send(message []byte) error {
	c.own.Sent.Add(int64(len(message)))
	c.all.Sent.Add(int64(len(message)))
	return c.Stream.Send(message)
}

func (c *counted) Recv() ([]byte, error) {
	b, err := c.Stream.Recv()
	c.own.Received.Add(int64(len(b)))
	c.all.Received.Add(int64(len(b)))
	return b, err
}
