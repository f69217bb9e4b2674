package protocol

import (
	"encoding/binary"

	"github.com/olapd/olapd/internal/sqlerr"
)

// Client is the first packet of a client.
type Client struct {
	Name         string
	Major, Minor int
	Revision     int
	Database     string
	User         string
	Password     string
}

// Server is the first packet of a server. What the client's revision does not know is left out.
type Server struct {
	Name                string
	Major, Minor, Patch int
	Revision            int
	Zone                string
	DisplayName         string
}

// ReadClient reads the first packet of a client, kind included.
func (r *Reader) ReadClient() (Client, error) {
	if kind := r.Uvarint(); kind != uint64(ClientHello) {
		r.fail(sqlerr.New(sqlerr.UnexpectedPacketFromClient, "Unexpected packet %d from client: it must say hello first", kind))
	}
	c := Client{
		Name: r.Name(), Major: r.Int(), Minor: r.Int(), Revision: r.Int(),
		Database: r.Name(), User: r.Name(), Password: r.Name(),
	}
	return c, r.err
}

// AppendClient appends the first packet of a client.
func AppendClient(dst []byte, c Client) []byte {
	dst = binary.AppendUvarint(dst, uint64(ClientHello))
	dst = appendString(dst, c.Name)
	dst = appendInts(dst, c.Major, c.Minor, c.Revision)
	return appendStrings(dst, c.Database, c.User, c.Password)
}

// ReadServer reads the first packet of a server behind its kind. revision is the client's own.
func (r *Reader) ReadServer(revision int) (Server, error) {
	s := Server{Name: r.Name(), Major: r.Int(), Minor: r.Int(), Revision: r.Int()}
	revision = min(revision, s.Revision)
	if revision >= withTimeZone {
		s.Zone = r.Name()
	}
	if revision >= withDisplayName {
		s.DisplayName = r.Name()
	}
	if s.Patch = s.Revision; revision >= withPatch {
		s.Patch = r.Int()
	}
	return s, r.err
}

// AppendServer appends the first packet of a server for a client of the revision.
func AppendServer(dst []byte, s Server, revision int) []byte {
	dst = binary.AppendUvarint(dst, uint64(ServerHello))
	dst = appendString(dst, s.Name)
	dst = appendInts(dst, s.Major, s.Minor, s.Revision)
	if revision >= withTimeZone {
		dst = appendString(dst, s.Zone)
	}
	if revision >= withDisplayName {
		dst = appendString(dst, s.DisplayName)
	}
	if revision >= withPatch {
		dst = appendInts(dst, s.Patch)
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendStrings(dst []byte, list ...string) []byte {
	for _, s := range list {
		dst = appendString(dst, s)
	}
	return dst
}

func appendInts(dst []byte, list ...int) []byte {
	for _, n := range list {
		dst = binary.AppendUvarint(dst, uint64(max(n, 0)))
	}
	return dst
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}
