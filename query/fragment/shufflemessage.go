package fragment

import "github.com/olapd/olapd/internal/sqlerr"

// shuffleMessage begins a stream with rows of a shuffle for a part, from another.
type shuffleMessage struct {
	partKey
	shuffle, sender int
}

func (m *shuffleMessage) encode() []byte {
	w := &writer{b: []byte{requestVersion}}
	w.text(m.From)
	w.text(m.Query)
	w.uv(m.Session)
	w.count(m.Own)
	w.count(m.shuffle)
	w.count(m.sender)
	return w.b
}

func decodeShuffle(body []byte) (*shuffleMessage, error) {
	r := &reader{b: body}
	r.version()
	m := &shuffleMessage{partKey: partKey{From: r.text(), Query: r.text(), Session: r.uv()}}
	m.Own, m.shuffle, m.sender = r.index(maxShards), r.index(maxShuffles), r.index(maxShards)
	return m, r.err
}

func encodeEnd(why error) []byte {
	w := &writer{}
	if why == nil {
		w.uv(0)
		w.text("")
		return w.b
	}
	w.uv(uint64(uint32(sqlerr.CodeOf(why))))
	w.text(why.Error())
	return w.b
}

// decodeEnd returns the error that the sender had, and that of decoding.
func decodeEnd(body []byte) (end, err error) {
	r := &reader{b: body}
	code, text := r.uv(), r.text()
	if r.err != nil || code == 0 {
		return nil, r.err
	}
	return &sqlerr.Error{Code: sqlerr.Code(int32(uint32(code))), Msg: text, Pos: -1}, nil
}
