package function

import "github.com/olapd/olapd/internal/column"

// A composer builds a function out of others. The same composition types a call, with arguments that have no vectors, and evaluates it: so the
// type can only be that of what is computed. The first error stays, and what follows it is not called.
type composer struct {
	env  *Env
	rows int // -1: only types are wanted
	err  error
}

// part is an argument or an intermediate result of a composition; its vector is nil where only types are wanted.
type part struct {
	Arg
	vec column.Vector
}

// partsOf are the arguments of a call that is typed.
func partsOf(args []Arg) []part {
	out := make([]part, len(args))
	for i, a := range args {
		out[i] = part{Arg: a}
	}
	return out
}

// evaluatedParts are the arguments of a call that is evaluated.
func evaluatedParts(c *Call) []part {
	out := make([]part, len(c.Args))
	for i, v := range c.Args {
		out[i] = part{Arg: Arg{Type: c.Types[i]}, vec: v}
		if k, ok := v.(*column.Const); ok {
			out[i].Const = k.Value
		}
	}
	return out
}

// literal is a constant of the composition.
func (x *composer) literal(v column.Vector) part {
	return part{Arg: Arg{Type: v.Type(), Const: v}, vec: &column.Const{Value: v, N: max(x.rows, 0)}}
}

// call applies a function to parts.
func (x *composer) call(name string, args ...part) part {
	if x.err != nil {
		return part{}
	}
	typed := make([]Arg, len(args))
	for i, a := range args {
		typed[i] = a.Arg
	}
	f, err := Bind(x.env, name, typed)
	if err != nil {
		x.err = err
		return part{}
	}
	out := part{Arg: Arg{Type: f.Result}}
	if x.rows < 0 {
		return out
	}
	vecs := make([]column.Vector, len(args))
	for i, a := range args {
		vecs[i] = a.vec
	}
	if out.vec, x.err = f.Call(x.env, vecs, nil, x.rows); x.err != nil {
		return part{}
	}
	if k, ok := out.vec.(*column.Const); ok {
		out.Const = k.Value
	}
	return out
}

// elements are the elements of a tuple.
func (x *composer) elements(t part) []part {
	out := make([]part, len(t.Type.Elems))
	for i, e := range t.Type.Elems {
		out[i].Type = e
	}
	if x.rows < 0 {
		return out
	}
	if k, ok := t.vec.(*column.Const); ok {
		for i, v := range k.Value.(*column.Tuple).Elems {
			out[i].vec, out[i].Const = &column.Const{Value: v, N: x.rows}, v
		}
		return out
	}
	for i, v := range column.Flatten(t.vec).(*column.Tuple).Elems {
		out[i].vec = v
	}
	return out
}
