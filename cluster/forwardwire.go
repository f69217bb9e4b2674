package cluster

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// methodForward carries what a group's leader is asked by another node: a stream with one request and one answer.
//
//	request: | u8 version = 1 | u8 what: 1 propose | uv group | u8 kind | uv term | uv schema version | body |
//	         | u8 version = 1 | u8 what: 2 read index | uv group |
//	answer:  | u8 version = 1 | 0 | uv term | uv index | uv result index | u8 1 duplicate, 2 differs |
//	         | u8 version = 1 | 1 | u8 refusal | text leader, if known | uv code | text |
//
// Kind and body are an entry's; term is the one under which alone it may be proposed, 0: any. Term and index of an answer are those
// of a committed entry: the proposed one, or what a read must wait for.
const (
	methodForward  = "cluster.forward"
	forwardVersion = 1
	askPropose     = 1
	askReadIndex   = 2
	answerDone     = 0
	answerRefused  = 1
	flagDuplicate  = 1
	flagDiffers    = 2
	maxErrorText   = 64 << 10
)

// refusals are the errors that keep their identity on the way, in the order of their numbers, from 1. On the wire: never reorder.
var refusals = []error{ErrUnknown, ErrNotLeader, ErrCursorMoved, ErrSchemaChanged, ErrStopped, ErrClosed, ErrConflict, mergetree.ErrEditRejected}

// forwardRequest is what a leader is asked.
type forwardRequest struct {
	what   byte
	group  uint64
	kind   kind
	term   uint64
	schema uint64
	coded  []byte // body
	body   any    // decoded
}

func (q *forwardRequest) append(dst []byte) []byte {
	dst = binary.AppendUvarint(append(dst, forwardVersion, q.what), q.group)
	if q.what == askReadIndex {
		return dst
	}
	dst = binary.AppendUvarint(binary.AppendUvarint(append(dst, byte(q.kind)), q.term), q.schema)
	return append(dst, q.coded...)
}

// decodeForward reads a request, all of b, with its body.
func decodeForward(b []byte) (*forwardRequest, error) {
	r := &reader{b: b}
	r.version()
	q := &forwardRequest{what: r.u8(), group: r.uvarint()}
	switch {
	case r.err != nil:
	case q.what == askPropose:
		q.kind, q.term, q.schema = kind(r.u8()), r.uvarint(), r.uvarint()
		q.coded = r.b
		if read, known := bodyReaders[q.kind]; !known {
			r.fail("%s", q.kind)
		} else if r.err == nil {
			q.body = read(r)
		}
	case q.what != askReadIndex:
		r.fail("question %d", q.what)
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes behind the end", len(r.b))
	}
	return q, r.err
}

func (r *reader) version() {
	if v := r.u8(); r.err == nil && v != forwardVersion {
		r.fail("version %d of a forwarded request, this build speaks %d", v, forwardVersion)
	}
}

// forwardAnswer is what the leader says.
type forwardAnswer struct {
	term, index uint64
	result      Result
	err         error
	leader      string // with ErrNotLeader, if known
}

func (a *forwardAnswer) append(dst []byte) []byte {
	dst = append(dst, forwardVersion)
	if a.err == nil {
		dst = binary.AppendUvarint(binary.AppendUvarint(append(dst, answerDone), a.term), a.index)
		flags := byte(0)
		if a.result.Duplicate {
			flags |= flagDuplicate
		}
		if a.result.Differs {
			flags |= flagDiffers
		}
		return append(binary.AppendUvarint(dst, a.result.Index), flags)
	}
	number := byte(0)
	for i, e := range refusals {
		if number == 0 && errors.Is(a.err, e) {
			number = byte(i) + 1
		}
	}
	dst = appendText(append(dst, answerRefused, number), a.leader)
	text := a.err.Error()
	return appendText(binary.AppendUvarint(dst, uint64(sqlerr.CodeOf(a.err))), text[:min(len(text), maxErrorText)])
}

// decodeAnswer reads an answer, all of b. The error of an answer wraps the refusal that it was.
func decodeAnswer(b []byte) (*forwardAnswer, error) {
	r := &reader{b: b}
	r.version()
	a := &forwardAnswer{}
	switch what := r.u8(); {
	case r.err != nil:
	case what == answerDone:
		a.term, a.index, a.result.Index = r.uvarint(), r.uvarint(), r.uvarint()
		flags := r.u8()
		a.result.Duplicate, a.result.Differs = flags&flagDuplicate != 0, flags&flagDiffers != 0
	case what == answerRefused:
		number := int(r.u8())
		a.leader = string(r.bytes(maxName))
		code, text := r.uvarint(), string(r.bytes(maxErrorText))
		e := &sqlerr.Error{Code: sqlerr.Code(min(code, math.MaxInt32)), Msg: text, Pos: -1}
		if number > 0 && number <= len(refusals) {
			e.Cause = refusals[number-1]
			e.Msg = strings.TrimSuffix(text, ": "+e.Cause.Error())
		}
		a.err = e
	default:
		r.fail("answer %d", what)
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail("%d bytes behind the end", len(r.b))
	}
	return a, r.err
}
