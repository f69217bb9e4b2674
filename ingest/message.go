package ingest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/format"
	"github.com/olapd/olapd/internal/sqlerr"
)

// avroConfluent is the format of Avro records behind a schema registry's id.
const avroConfluent = "AvroConfluent"

// messageDecoder reads messages into rows. It belongs to one goroutine.
type messageDecoder interface {
	// decode appends all rows of a message, or none and an error: of the message, to become a dead letter, or
	// a *unavailable, after which the message can be tried again.
	decode(ctx context.Context, msg []byte, rows *format.Rows) error
}

// unavailable is an error that says nothing about the message.
type unavailable struct{ err error }

func (u *unavailable) Error() string { return u.err.Error() }
func (u *unavailable) Unwrap() error { return u.err }

func newMessageDecoder(c *Config, schema column.Schema, reg *registry) (messageDecoder, error) {
	if strings.EqualFold(c.Format, avroConfluent) {
		return &confluentDecoder{reg: reg, opts: c.Decoding, skip: c.SkipBytes, cache: map[uint32]*format.AvroDecoder{}}, nil
	}
	f, err := format.Lookup(c.Format)
	if err != nil {
		return nil, err
	}
	d, err := f.NewDecoder(schema, c.Decoding)
	if err != nil {
		return nil, err
	}
	return &plainDecoder{d: d, skip: c.SkipBytes}, nil
}

// cutEnvelope drops the bytes that kafka_schema_registry_skip_bytes announces.
func cutEnvelope(msg []byte, n int) ([]byte, error) {
	if len(msg) < n {
		return nil, sqlerr.New(sqlerr.IncorrectData, "The message of %d bytes is shorter than its envelope of %d", len(msg), n)
	}
	return msg[n:], nil
}

type plainDecoder struct {
	d    *format.Decoder
	skip int
}

func (p *plainDecoder) decode(_ context.Context, msg []byte, rows *format.Rows) error {
	msg, err := cutEnvelope(msg, p.skip)
	if err != nil {
		return err
	}
	return p.d.Decode(msg, rows)
}

// confluentDecoder reads [0, schema id as big-endian uint32, Avro record].
type confluentDecoder struct {
	reg   *registry
	opts  format.Options
	skip  int
	cache map[uint32]*format.AvroDecoder
}

func (d *confluentDecoder) decode(ctx context.Context, msg []byte, rows *format.Rows) error {
	msg, err := cutEnvelope(msg, d.skip)
	if err != nil {
		return err
	}
	if len(msg) < 5 || msg[0] != 0 {
		return sqlerr.New(sqlerr.IncorrectData, "The message does not begin with a zero byte and a schema id")
	}
	id := binary.BigEndian.Uint32(msg[1:])
	dec := d.cache[id]
	if dec == nil {
		text, err := d.reg.schema(ctx, id)
		if err != nil {
			return err
		}
		if dec, err = format.NewAvroDecoder(text, d.opts); err != nil {
			return fmt.Errorf("schema %d: %w", id, err)
		}
		if len(d.cache) >= maxSchemas {
			clear(d.cache)
		}
		d.cache[id] = dec
	}
	return dec.Decode(msg[5:], rows)
}

// isUnavailable reports whether a decode error is not the message's fault.
func isUnavailable(err error) bool {
	var u *unavailable
	return errors.As(err, &u)
}
