package function

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	registerAggregates(&AggregateFamily{Name: "groupConcat", Aliases: []string{"group_concat", "string_agg"}, CaseInsensitive: true,
		MinArgs: 1, MaxArgs: 2, EmptyNull: true, Parametric: true, Resolve: resolveGroupConcat,
		Doc: "Joins the values as text with the delimiter of the parameter or of the second argument.", Example: "groupConcat(',')(x) → 1,2"})
}

// concatState is the texts of a group's values, and the delimiter where it comes as an argument.
type concatState struct {
	v         *column.Str
	delimiter []byte
}

// append appends the texts [from, to) of src, at most so many that there are limit (0: no limit).
func (s *concatState) append(src *column.Str, from, to, limit int) {
	if s.v == nil {
		s.v = column.NewStr(types.TString, 0)
	}
	if limit > 0 {
		to = min(to, from+limit-s.v.Len())
	}
	if from < to {
		s.v.AppendRange(src, from, to)
	}
}

func (s *concatState) bytes() int64 {
	if s.v == nil {
		return 0
	}
	return int64(cap(s.v.Data)) + 4*int64(cap(s.v.Off))
}

func resolveGroupConcat(env *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	delimiter, limit := "", 0
	for i, p := range params {
		switch {
		case i == 0 && p.Type().IsString():
			delimiter = column.Value(p, 0).(string)
		case i == 0:
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "First parameter for aggregate function groupConcat should be string")
		case i == 1:
			var err error
			if limit, err = sizeParam("groupConcat", params[1:]); err != nil {
				return nil, err
			}
		}
	}
	if len(args) == 2 && !args[1].IsString() {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Second argument for aggregate function groupConcat should be string")
	}
	zone := time.UTC
	if env != nil && env.Zone != nil {
		zone = env.Zone
	}
	return foldTexts(delimiter, limit, zone), nil
}

func foldTexts(delimiter string, limit int, zone *time.Location) Aggregate {
	return &fold[concatState]{
		result: types.TString,
		add: func(s *foldStates[concatState], groups []uint32, args []column.Vector, n int) error {
			one := column.NewStr(types.TString, 1)
			for i := 0; i < n; i++ {
				st := &s.s[groups[i]]
				before := st.bytes()
				one.Truncate(0)
				one.Data = valuetext.AppendText(one.Data, args[0], i, zone)
				if args[0].Type().Kind == types.FixedString {
					one.Data = bytes.TrimRight(one.Data, "\x00")
				}
				one.EndValue()
				st.append(one, 0, 1, limit)
				if len(args) == 2 && st.delimiter == nil {
					st.delimiter = append([]byte{}, args[1].(*column.Str).At(i)...)
				}
				s.extra += st.bytes() - before
			}
			return nil
		},
		merge: func(s *foldStates[concatState], a, b *concatState) {
			if b.v == nil {
				return
			}
			before := a.bytes()
			a.append(b.v, 0, b.v.Len(), limit)
			if a.delimiter == nil {
				a.delimiter = b.delimiter
			}
			s.extra += a.bytes() - before
		},
		save: func(dst []byte, s *concatState) []byte {
			if s.v == nil {
				return append(dst, 0)
			}
			dst = binary.AppendUvarint(dst, uint64(s.v.Len()))
			for i := range s.v.Len() {
				dst = appendBytes(dst, s.v.At(i))
			}
			if s.delimiter != nil {
				dst = appendBytes(dst, s.delimiter)
			}
			return dst
		},
		load: func(s *concatState, r *reader) error {
			n := r.count(1)
			if n > 0 {
				s.v = column.NewStr(types.TString, 0)
			}
			for ; n > 0 && !r.bad; n-- {
				s.v.Append(r.bytes())
			}
			if s.v != nil && len(r.b) > 0 {
				s.delimiter = append([]byte{}, r.bytes()...)
			}
			return nil
		},
		finish: func(out column.Builder, s *concatState) error {
			o := out.(*column.Str)
			if s.v != nil {
				join(o, s, delimiter)
			}
			o.EndValue()
			return nil
		},
	}
}

// join appends the texts to the value that out is at.
func join(out *column.Str, s *concatState, delimiter string) {
	between := []byte(delimiter)
	if s.delimiter != nil {
		between = s.delimiter
	}
	for i := range s.v.Len() {
		if i > 0 {
			out.Data = append(out.Data, between...)
		}
		out.Data = append(out.Data, s.v.At(i)...)
	}
}
