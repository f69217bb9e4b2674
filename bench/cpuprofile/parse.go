// Package cpuprofile reads the CPU profiles that a Go program serves at /debug/pprof/profile and
// says which packages and functions the time went to, and how much of it to the garbage collector.
//
// A profile is a gzipped protocol buffer (profile.proto of github.com/google/pprof). Of it are read:
//
//	Profile:  2 sample*, 4 location*, 5 function*, 6 string*
//	Sample:   1 location ids, leaf first; 2 values, the last being nanoseconds
//	Location: 1 id; 4 line*, innermost first where calls were inlined
//	Line:     1 function id
//	Function: 1 id; 2 index of its name among the strings
package cpuprofile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Stack is where the program was for some time.
type Stack struct {
	Functions   []string // leaf first
	Nanoseconds int64
}

// maxProfile bounds the bytes of an unpacked profile.
const maxProfile = 256 << 20

var errCorrupt = errors.New("cpuprofile: corrupt profile")

// Parse reads a profile.
func Parse(data []byte) ([]Stack, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("cpuprofile: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxProfile))
	if err != nil {
		return nil, fmt.Errorf("cpuprofile: %w", err)
	}
	p := parser{lines: map[uint64][]uint64{}, names: map[uint64]uint64{}}
	if err := fields(raw, p.top); err != nil {
		return nil, err
	}
	return p.stacks()
}

// parser holds the parts of a profile until all have been read: they refer to each other.
type parser struct {
	samples []sample
	lines   map[uint64][]uint64 // location → functions, innermost first
	names   map[uint64]uint64   // function → index of its name
	strings []string
}

type sample struct{ locations, values []uint64 }

func (p *parser) top(number int, _ uint64, data []byte) error {
	switch number {
	case 2:
		return p.sample(data)
	case 4:
		return p.location(data)
	case 5:
		return p.function(data)
	case 6:
		p.strings = append(p.strings, string(data))
	}
	return nil
}

func (p *parser) sample(data []byte) error {
	var s sample
	err := fields(data, func(number int, value uint64, data []byte) (err error) {
		switch number {
		case 1:
			s.locations, err = numbers(s.locations, value, data)
		case 2:
			s.values, err = numbers(s.values, value, data)
		}
		return err
	})
	p.samples = append(p.samples, s)
	return err
}

func (p *parser) location(data []byte) error {
	var id uint64
	var functions []uint64
	err := fields(data, func(number int, value uint64, data []byte) error {
		switch number {
		case 1:
			id = value
		case 4:
			return fields(data, func(number int, value uint64, _ []byte) error {
				if number == 1 {
					functions = append(functions, value)
				}
				return nil
			})
		}
		return nil
	})
	p.lines[id] = functions
	return err
}

func (p *parser) function(data []byte) error {
	var id, name uint64
	err := fields(data, func(number int, value uint64, _ []byte) error {
		switch number {
		case 1:
			id = value
		case 2:
			name = value
		}
		return nil
	})
	p.names[id] = name
	return err
}

func (p *parser) stacks() (out []Stack, err error) {
	for _, s := range p.samples {
		if len(s.values) == 0 {
			return nil, errCorrupt
		}
		stack := Stack{Nanoseconds: int64(s.values[len(s.values)-1])}
		for _, l := range s.locations {
			for _, f := range p.lines[l] {
				name := p.names[f]
				if name >= uint64(len(p.strings)) {
					return nil, errCorrupt
				}
				stack.Functions = append(stack.Functions, p.strings[name])
			}
		}
		out = append(out, stack)
	}
	return out, nil
}

// fields calls f for each field of a message, with its value if it is a number, else its bytes.
func fields(data []byte, f func(number int, value uint64, data []byte) error) error {
	for len(data) > 0 {
		key, n := binary.Uvarint(data)
		if n <= 0 {
			return errCorrupt
		}
		data = data[n:]
		value, n := binary.Uvarint(data)
		if n <= 0 {
			return errCorrupt
		}
		data = data[n:]
		var content []byte
		switch key & 7 {
		case 0: // a number
		case 2: // bytes
			if value > uint64(len(data)) {
				return errCorrupt
			}
			content, data = data[:value], data[value:]
		default: // the format has no others
			return errCorrupt
		}
		if err := f(int(key>>3), value, content); err != nil {
			return err
		}
	}
	return nil
}

// numbers appends a repeated number, which is one or, packed, many.
func numbers(dst []uint64, value uint64, packed []byte) ([]uint64, error) {
	if packed == nil {
		return append(dst, value), nil
	}
	for len(packed) > 0 {
		v, n := binary.Uvarint(packed)
		if n <= 0 {
			return nil, errCorrupt
		}
		dst, packed = append(dst, v), packed[n:]
	}
	return dst, nil
}
