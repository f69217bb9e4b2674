package eval

import (
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// choice is an if or multiIf between strings: where its values are codes of one dictionary, and constants, it is
// computed over codes and no string is touched.
type choice struct {
	fn *function.Bound // the same function with UInt32 values
	sync.Mutex
	extended map[column.Vector]column.Vector // dictionaries, with the constants behind them
	kept     *Kept
	bytes    int64 // of extended
}

// newChoice returns what is needed to compute e over codes, or nil if it is no choice between strings that are not Nullable.
func newChoice(env *function.Env, e *plan.Call) *choice {
	name := e.Fn.Func.Name
	if name != "if" && name != "multiIf" || e.Fn.Result.WithoutLowCardinality().Kind != types.String {
		return nil
	}
	args := make([]function.Arg, len(e.Args))
	for k, a := range e.Args {
		args[k].Type = a.Type()
		if isValue(k, len(args)) {
			if a.Type().WithoutLowCardinality().Kind != types.String {
				return nil
			}
			args[k].Type = types.TUInt32
		}
	}
	fn, err := function.Bind(env, name, args)
	if err != nil {
		return nil
	}
	return &choice{fn: fn}
}

// isValue reports whether argument k of n of a conditional is a value, not a condition.
func isValue(k, n int) bool { return k%2 == 1 || k == n-1 }

// coded computes the choice over codes; nil if its values are not of one dictionary.
func (c *choice) coded(env *function.Env, args []column.Vector, n int) (column.Vector, error) {
	var dict *column.Dict
	var consts []column.Vector
	for k, a := range args {
		if !isValue(k, len(args)) {
			continue
		}
		switch a := a.(type) {
		case *column.Dict:
			if dict != nil && dict.Values != a.Values {
				return nil, nil
			}
			dict = a
		case *column.Const:
			consts = append(consts, a.Value)
		default:
			return nil, nil
		}
	}
	if dict == nil {
		return nil, nil
	}
	values := c.extend(dict.Values, consts)
	if values == nil {
		return nil, nil
	}
	codes := make([]column.Vector, len(args))
	next := uint32(dict.Values.Len())
	for k, a := range args {
		codes[k] = a
		if !isValue(k, len(args)) {
			continue
		}
		if d, ok := a.(*column.Dict); ok {
			codes[k] = column.NewNum(types.TUInt32, d.Codes)
			continue
		}
		codes[k] = &column.Const{Value: column.NewNum(types.TUInt32, []uint32{next}), N: n}
		next++
	}
	v, err := c.fn.Call(env, codes, nil, n)
	if err != nil {
		return nil, err
	}
	chosen := column.Flatten(v).(*column.Num[uint32]).Data
	return &column.Dict{Codes: chosen, Values: values}, nil
}

// Limits of extending dictionaries, of which the offsets are copied, and the bytes too unless all constants are empty.
const (
	maxExtended      = 1 << 24
	maxExtendedBytes = 1 << 24
)

// extend returns the entries of a dictionary and the constants behind them, of one dictionary always the same vector; nil if
// that would cost too much.
func (c *choice) extend(values column.Vector, consts []column.Vector) column.Vector {
	if len(consts) == 0 {
		return values
	}
	old, ok := values.(*column.Str)
	if !ok || old.Len() > maxExtended {
		return nil
	}
	c.Lock()
	defer c.Unlock()
	if v := c.extended[values]; v != nil {
		return v
	}
	end, more := old.Off[len(old.Off)-1], 0
	for _, v := range consts {
		more += len(v.(*column.Str).At(0))
	}
	if more > 0 && end > maxExtendedBytes {
		return nil
	}
	if c.extended == nil || len(c.extended) >= maxDerivations {
		c.kept.release(c.bytes)
		c.extended, c.bytes = map[column.Vector]column.Vector{}, 0
	}
	size := 4 * int64(len(old.Off))
	if more > 0 {
		size += int64(end)
	}
	if !c.kept.reserve(size) {
		return nil
	}
	c.bytes += size
	s := &column.Str{Typ: old.Typ, Off: append(make([]uint32, 0, len(old.Off)+len(consts)), old.Off...), Data: old.Data[:end:end]}
	for _, v := range consts {
		s.Append(v.(*column.Str).At(0))
	}
	c.extended[values] = s
	return s
}
