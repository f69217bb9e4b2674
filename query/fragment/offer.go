package fragment

import (
	"slices"

	"github.com/olapd/olapd/internal/blockcodec"
	"github.com/olapd/olapd/internal/column"
)

// offer sends the sort keys of rows, nil if there are none, and waits for the positions of those that are wanted.
func (c *conn) offer(keys *column.Block) ([]uint32, error) {
	if keys == nil {
		return nil, nil // the end of the fragment says so
	}
	flags := slices.Repeat([]byte{1}, len(keys.Cols))
	body, err := blockcodec.Append(flags, keys.Flatten())
	if err != nil {
		return nil, err
	}
	if err := c.send(msgOffer, body); err != nil {
		return nil, err
	}
	k, body, err := c.recv()
	switch {
	case err != nil:
		return nil, err
	case k != msgChosen:
		return nil, corrupt("a message of kind %d where rows are chosen", k)
	}
	return decodeChosen(body, keys.N)
}

func encodeChosen(at []uint32) []byte {
	w := &writer{}
	w.count(len(at))
	for _, x := range at {
		w.uv(uint64(x))
	}
	return w.b
}

// decodeChosen reads positions among n rows.
func decodeChosen(body []byte, n int) ([]uint32, error) {
	r := &reader{b: body}
	at := make([]uint32, r.count())
	for i := range at {
		at[i] = uint32(r.index(n))
	}
	return at, r.err
}
