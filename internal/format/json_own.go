package format

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// object appends an object, or a string that is the text of one, to a vector of JSON.
func (s *jsonScan) object(v *column.Map, t *types.Type) error {
	s.space()
	var text []byte
	var err error
	if s.pos < len(s.data) && s.data[s.pos] == '"' {
		text, err = s.str()
	} else {
		text, err = s.raw()
	}
	if err != nil {
		return err
	}
	p := valuetext.Parser{Zone: s.o.Zone}
	return p.JSONObject(v, t, text)
}

// variant appends a value of any kind: to a Variant as the first of its types that reads it, to a Dynamic as what its text says it is.
func (s *jsonScan) variant(v *column.Variant, t *types.Type) error {
	text, err := s.raw()
	if err != nil {
		return err
	}
	p := valuetext.Parser{Zone: s.o.Zone}
	return p.JSONInto(v, t, text)
}
