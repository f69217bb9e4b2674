package fragment

import (
	"io"
	"sync"

	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec"
)

// Stream is one of cluster/rpc: two sequences of messages, to a node and back.
type Stream interface {
	Send(message []byte) error
	// Recv returns io.EOF behind the last message.
	Recv() ([]byte, error)
	CloseSend() error
}

// A message is one or more pieces, each a message of the stream: a byte that is 1 in the last, and bytes. Joined, these are the kind and what belongs to it.
//
//	to the node      pin        pinMessage: the first and only one of a stream that keeps the pin while it is open
//	                 request    Request, the first of all others
//	                 rows       uv number of a Broadcast, block
//	                 start      –, when all rows of all Broadcasts are there
//	                 shuffle    shuffleMessage, the first of a stream with rows of a shuffle
//	                 block      as below: rows of the shuffle
//	                 chosen     uv n, n times the position of a row whose keys were offered
//	                 end        uv code of an error, text: 0 and none if the rows were all; the last of a shuffle's
//	back from it     pinned     uv n, n times the index that a shard is read at, in the order of the pin
//	                 progress   uv rows to be read, uv rows read, uv bytes read; each since the last
//	                 block      u8 flag for each column of the fragment: 1 if it is there; blockcodec of those
//	                 offer      as block, of sort keys: of rows that wait for chosen
//	                 report     uv rows seen by the top-k, uv lines, each a text, uv bytes sent to third nodes (not of older versions); the last
type messageKind byte

const (
	msgRequest  messageKind = 1
	msgRows     messageKind = 2
	msgStart    messageKind = 3
	msgPinned   messageKind = 4
	msgProgress messageKind = 5
	msgBlock    messageKind = 6
	msgReport   messageKind = 7
	msgPin      messageKind = 8
	msgShuffle  messageKind = 9
	msgEnd      messageKind = 10
	msgOffer    messageKind = 11
	msgChosen   messageKind = 12
)

// conn sends and receives messages. Any number of goroutines may send; one receives.
type conn struct {
	s    Stream
	mu   sync.Mutex // of sending
	room []byte     // that messages are put together in
}

func (c *conn) send(k messageKind, body []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	piece := make([]byte, 0, 2+min(len(body), pieceBytes))
	piece = append(piece, 0, byte(k))
	for {
		n := min(len(body), pieceBytes)
		piece, body = append(piece, body[:n]...), body[n:]
		if len(body) == 0 {
			piece[0] = 1
			return c.s.Send(piece)
		}
		if err := c.s.Send(piece); err != nil {
			return err
		}
		piece = append(make([]byte, 0, 1+min(len(body), pieceBytes)), 0)
	}
}

// recv returns the next message, whose body is good until the next call; io.EOF at the end.
func (c *conn) recv() (messageKind, []byte, error) {
	c.room = c.room[:0]
	for {
		piece, err := c.s.Recv()
		if err != nil {
			if err == io.EOF && len(c.room) > 0 {
				err = corrupt("a stream ends within a message")
			}
			return 0, nil, err
		}
		if len(piece) == 0 || len(c.room)+len(piece) > maxMessage {
			return 0, nil, corrupt("a piece of %d bytes behind %d", len(piece), len(c.room))
		}
		if piece[0] == 1 && len(c.room) == 0 && len(piece) > 1 { // all in one, as nearly always
			return messageKind(piece[1]), piece[2:], nil
		}
		if c.room = append(c.room, piece[1:]...); piece[0] == 1 && len(c.room) > 0 {
			return messageKind(c.room[0]), c.room[1:], nil
		}
	}
}

// sendBlock sends rows, those columns that are read, in messages of a size that suits both sides.
func (c *conn) sendBlock(b *column.Block, columns []bool) error {
	there := &column.Block{N: b.N}
	flags := make([]byte, len(b.Cols))
	for i, v := range b.Cols {
		if columns[i] && v != nil {
			flags[i] = 1
			there.Cols = append(there.Cols, column.Flatten(v))
		}
	}
	return inParts(there, func(part *column.Block) error {
		body, err := blockcodec.Append(append(make([]byte, 0, 1024), flags...), part)
		if err != nil {
			return err
		}
		return c.send(msgBlock, body)
	})
}

// inParts calls f with the rows of a block, cut in halves while they are large.
func inParts(b *column.Block, f func(*column.Block) error) error {
	if b.N > 1 && b.Bytes() > sendBytes {
		half := b.N / 2
		if err := inParts(b.Slice(0, half), f); err != nil {
			return err
		}
		return inParts(b.Slice(half, b.N), f)
	}
	return f(b)
}

// decodeBlock returns the rows of a block message of the fields; columns that were not sent are nil.
func decodeBlock(body []byte, fields column.Schema) (*column.Block, error) {
	if len(body) < len(fields) {
		return nil, corrupt("a block of %d bytes for %d columns", len(body), len(fields))
	}
	flags := body[:len(fields)]
	there, err := blockcodec.Decode(body[len(fields):])
	if err != nil {
		return nil, err
	}
	out, next := &column.Block{N: there.N, Cols: make([]column.Vector, len(fields))}, 0
	for i, f := range fields {
		if flags[i] == 0 {
			continue
		}
		if next >= len(there.Cols) || !samePhys(there.Cols[next].Type(), f.Type) {
			return nil, corrupt("a block whose columns are not those of the fragment: %s is not of type %s", f.Name, f.Type)
		}
		out.Cols[i] = there.Cols[next]
		next++
	}
	if next != len(there.Cols) {
		return nil, corrupt("a block of %d columns, %d of them known", len(there.Cols), next)
	}
	return out, nil
}

// sendRows sends rows of a Broadcast.
func (c *conn) sendRows(number int, b *column.Block) error {
	return inParts(b.Flatten(), func(part *column.Block) error {
		w := &writer{}
		w.count(number)
		body, err := blockcodec.Append(w.b, part)
		if err != nil {
			return err
		}
		return c.send(msgRows, body)
	})
}

func decodeRows(body []byte, broadcasts int) (number int, b *column.Block, err error) {
	r := &reader{b: body}
	if number = r.index(broadcasts); r.err != nil {
		return 0, nil, r.err
	}
	b, err = blockcodec.Decode(r.b)
	return number, b, err
}

// progress is what was read since the last report.
type progress struct{ planned, rows, bytes uint64 }

func (p progress) encode() []byte {
	w := &writer{}
	w.uv(p.planned)
	w.uv(p.rows)
	w.uv(p.bytes)
	return w.b
}

func decodeProgress(body []byte) (progress, error) {
	r := &reader{b: body}
	return progress{r.uv(), r.uv(), r.uv()}, r.err
}

func encodeReport(rep exec.RemoteReport) []byte {
	w := &writer{}
	w.uv(uint64(rep.Sorted))
	w.count(len(rep.Lines))
	for _, l := range rep.Lines {
		w.text(l)
	}
	w.uv(uint64(rep.Sideways))
	return w.b
}

func decodeReport(body []byte) (exec.RemoteReport, error) {
	r := &reader{b: body}
	rep := exec.RemoteReport{Sorted: int64(r.uv() & (1<<63 - 1))}
	n := r.count()
	for range n {
		rep.Lines = append(rep.Lines, r.text())
	}
	if len(r.b) > 0 {
		rep.Sideways = int64(r.uv() & (1<<63 - 1))
	}
	return rep, r.err
}

func encodeIndices(list []uint64) []byte {
	w := &writer{}
	w.count(len(list))
	for _, x := range list {
		w.uv(x)
	}
	return w.b
}

func decodeIndices(body []byte) ([]uint64, error) {
	r := &reader{b: body}
	out := make([]uint64, r.count())
	for i := range out {
		out[i] = r.uv()
	}
	return out, r.err
}
