package server

import (
	"encoding/binary"
	"net"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

// nativeTimeout bounds how long a client of the native protocol may take to say hello.
const nativeTimeout = 5 * time.Second

// nativeException is the packet by which a server of the native protocol refuses.
const nativeException = 2

// ServeNative tells every client of the native protocol on l that it is not served: with an exception packet, which
// all of them show, rather than a connection that hangs. It takes l over and runs until Close.
func (s *Server) ServeNative(l net.Listener) {
	s.mu.Lock()
	s.mu.listeners = append(s.mu.listeners, l)
	s.mu.Unlock()
	s.done.Add(1)
	go func() {
		defer s.done.Done()
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			s.done.Add(1)
			go func() {
				defer s.done.Done()
				s.refuse(c)
			}()
		}
	}()
}

func (s *Server) refuse(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(s.cfg.Clock.Now().Add(nativeTimeout)) // a connection that cannot take it fails below
	var hello [1]byte
	if _, err := c.Read(hello[:]); err != nil {
		return
	}
	code := sqlerr.NotImplemented
	b := binary.AppendUvarint(nil, nativeException)
	b = binary.LittleEndian.AppendUint32(b, uint32(code))
	for _, text := range []string{
		"DB::Exception",
		"DB::Exception: The native protocol is not served by this version of olapd; connect over HTTP instead. (" + code.Name() + ")",
		"",
	} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	_, _ = c.Write(append(b, 0)) // 0: no nested exception; a client that has gone does not want it
}
