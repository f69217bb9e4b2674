package protocol

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/sqlerr"
	"strconv"
)

// Query is the packet of a statement.
type Query struct {
	ID       string
	Info     ClientInfo
	Settings []Setting
	// Secret is not empty if the query comes from a server of a cluster with a secret.
	Secret      string
	Stage       Stage
	Compression bool
	Text        string
	// Parameters are the values of {name:Type}: SQL literals of strings, as they travel.
	Parameters []Setting
}

// Setting is a name with its value as text. Important ones must be known, Custom ones hold SQL literals.
type Setting struct {
	Name, Value       string
	Important, Custom bool
}

// Flags of settings.
const (
	flagImportant = 1
	flagCustom    = 2
)

// ClientInfo says where a query comes from.
type ClientInfo struct {
	// Kind is 0 for nothing known, 1 for a query of the first server, 2 for one that it passed on.
	Kind                                        uint8
	InitialUser, InitialQueryID, InitialAddress string
	InitialMicros                               int64
	Interface                                   Interface
	OSUser, Host, Name                          string // of TCP
	Major, Minor, Revision, Patch               int
	HTTPMethod                                  uint8 // of HTTP
	UserAgent, ForwardedFor, Referer            string
	QuotaKey                                    string
	Depth                                       int
	// Trace is the OpenTelemetry trace and span with its state and flags, or nil.
	Trace *Trace
}

// Trace is the context of a trace, as its bytes travel.
type Trace struct {
	ID    [16]byte
	Span  [8]byte
	State string
	Flags uint8
}

// OldKind says how a setting travelled before they were text: as a number or as a string.
type OldKind uint8

// The forms of old settings.
const (
	OldNumber OldKind = iota
	OldString
)

// ReadQuery reads a query behind its kind. kinds tells how clients below revision 54429 wrote a setting; its error ends the reading.
func (r *Reader) ReadQuery(revision int, kinds func(name string) (OldKind, error)) (Query, error) {
	q := Query{ID: r.Name()}
	if revision >= withClientInfo {
		q.Info = r.clientInfo(revision)
	}
	if revision >= withTextSettings {
		q.Settings = r.settings()
	} else {
		q.Settings = r.oldSettings(kinds)
	}
	if revision >= withSecret {
		q.Secret = r.Name()
	}
	q.Stage = Stage(r.Uvarint())
	q.Compression = r.Uvarint() != 0
	q.Text = r.Text()
	if revision >= withParameters {
		q.Parameters = r.settings()
	}
	return q, r.err
}

func (r *Reader) clientInfo(revision int) ClientInfo {
	c := ClientInfo{Kind: r.Byte()}
	if c.Kind == 0 {
		return c
	}
	c.InitialUser, c.InitialQueryID, c.InitialAddress = r.Name(), r.Name(), r.Name()
	if revision >= withStartTime {
		c.InitialMicros = r.Int64()
	}
	switch c.Interface = Interface(r.Byte()); c.Interface {
	case InterfaceTCP:
		c.OSUser, c.Host, c.Name = r.Name(), r.Name(), r.Name()
		c.Major, c.Minor, c.Revision = r.Int(), r.Int(), r.Int()
	case InterfaceHTTP:
		c.HTTPMethod, c.UserAgent = r.Byte(), r.Name()
		if revision >= withForwardedFor {
			c.ForwardedFor = r.Name()
		}
		if revision >= withReferer {
			c.Referer = r.Name()
		}
	}
	if revision >= withQuotaKey {
		c.QuotaKey = r.Name()
	}
	if revision >= withDepth {
		c.Depth = r.Int()
	}
	if c.Interface == InterfaceTCP {
		if c.Patch = c.Revision; revision >= withPatch {
			c.Patch = r.Int()
		}
	}
	if revision >= withTrace && r.Bool() {
		c.Trace = &Trace{}
		copy(c.Trace.ID[:], r.take(len(c.Trace.ID)))
		copy(c.Trace.Span[:], r.take(len(c.Trace.Span)))
		c.Trace.State, c.Trace.Flags = r.Name(), r.Byte()
	}
	if revision >= withParallelReplicas {
		for range 3 { // collaborate, replicas, number of the replica: not for queries that come here
			r.Uvarint()
		}
	}
	return c
}

// settings reads names, flags and values up to an empty name.
func (r *Reader) settings() []Setting {
	var out []Setting
	for name := r.Name(); name != ""; name = r.Name() {
		flags := r.Uvarint()
		out = append(out, Setting{Name: name, Important: flags&flagImportant != 0, Custom: flags&flagCustom != 0, Value: r.Text()})
		if len(out) > maxSettings {
			r.fail(sqlerr.New(sqlerr.TooLargeArraySize, "More than %d settings", maxSettings))
		}
	}
	return out
}

// oldSettings reads names and values up to an empty name.
func (r *Reader) oldSettings(kinds func(name string) (OldKind, error)) []Setting {
	var out []Setting
	for name := r.Name(); name != ""; name = r.Name() {
		kind, err := kinds(name)
		if err != nil {
			r.fail(err) // how long its value is, is not known
			return nil
		}
		s := Setting{Name: name, Important: true}
		if kind == OldNumber {
			s.Value = strconv.FormatUint(r.Uvarint(), 10)
		} else {
			s.Value = r.Text()
		}
		if out = append(out, s); len(out) > maxSettings {
			r.fail(sqlerr.New(sqlerr.TooLargeArraySize, "More than %d settings", maxSettings))
		}
	}
	return out
}

// AppendQuery appends a query. Revisions below 54429 cannot be told settings: they are left out.
func AppendQuery(dst []byte, q Query, revision int) []byte {
	dst = appendString(binary.AppendUvarint(dst, uint64(ClientQuery)), q.ID)
	if revision >= withClientInfo {
		dst = appendClientInfo(dst, q.Info, revision)
	}
	if revision >= withTextSettings {
		dst = appendSettings(dst, q.Settings)
	} else {
		dst = appendString(dst, "")
	}
	if revision >= withSecret {
		dst = appendString(dst, q.Secret)
	}
	dst = binary.AppendUvarint(dst, uint64(q.Stage))
	dst = appendString(appendBool(dst, q.Compression), q.Text)
	if revision >= withParameters {
		dst = appendSettings(dst, q.Parameters)
	}
	return dst
}

func appendClientInfo(dst []byte, c ClientInfo, revision int) []byte {
	if dst = append(dst, c.Kind); c.Kind == 0 {
		return dst
	}
	dst = appendStrings(dst, c.InitialUser, c.InitialQueryID, c.InitialAddress)
	if revision >= withStartTime {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(c.InitialMicros))
	}
	switch dst = append(dst, uint8(c.Interface)); c.Interface {
	case InterfaceTCP:
		dst = appendStrings(dst, c.OSUser, c.Host, c.Name)
		dst = appendInts(dst, c.Major, c.Minor, c.Revision)
	case InterfaceHTTP:
		dst = appendString(append(dst, c.HTTPMethod), c.UserAgent)
		if revision >= withForwardedFor {
			dst = appendString(dst, c.ForwardedFor)
		}
		if revision >= withReferer {
			dst = appendString(dst, c.Referer)
		}
	}
	if revision >= withQuotaKey {
		dst = appendString(dst, c.QuotaKey)
	}
	if revision >= withDepth {
		dst = appendInts(dst, c.Depth)
	}
	if revision >= withPatch && c.Interface == InterfaceTCP {
		dst = appendInts(dst, c.Patch)
	}
	if revision >= withTrace {
		dst = appendBool(dst, c.Trace != nil)
		if t := c.Trace; t != nil {
			dst = append(append(dst, t.ID[:]...), t.Span[:]...)
			dst = append(appendString(dst, t.State), t.Flags)
		}
	}
	if revision >= withParallelReplicas {
		dst = append(dst, 0, 0, 0)
	}
	return dst
}

func appendSettings(dst []byte, list []Setting) []byte {
	for _, s := range list {
		flags := uint64(0)
		if s.Important {
			flags |= flagImportant
		}
		if s.Custom {
			flags |= flagCustom
		}
		dst = appendString(binary.AppendUvarint(appendString(dst, s.Name), flags), s.Value)
	}
	return appendString(dst, "")
}
