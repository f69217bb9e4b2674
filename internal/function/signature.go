package function

import (
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Signature is all that a Bound is: two builds that know the function make the same Bound of it.
type Signature struct {
	Name   string
	Args   []*types.Type // as Resolve saw them
	Inner  *types.Type   // what Eval returns
	Result *types.Type
}

// Signature returns what Rebind makes the same Bound of.
func (b *Bound) Signature() Signature {
	if b.own != nil {
		s := Signature{Name: b.Func.Name, Inner: b.inner, Result: b.Result}
		for _, a := range b.own.args {
			s.Args = append(s.Args, a.Type)
		}
		return s
	}
	return Signature{Name: b.Func.Name, Args: b.args, Inner: b.inner, Result: b.Result}
}

// Rebind returns the Bound of a signature; args are those of the call, of which functions of a Variant or Dynamic are bound anew. UnknownFunction, NumberOfArgumentsDoesntMatch; that the types are those that Resolve would
// return for the arguments is the caller's promise.
func Rebind(env *Env, s Signature, args []Arg) (*Bound, error) {
	f := Lookup(s.Name)
	if f == nil {
		return nil, sqlerr.New(sqlerr.UnknownFunction, "Function with name `%s` does not exist", s.Name)
	}
	if len(s.Args) < f.MinArgs || f.MaxArgs >= 0 && len(s.Args) > f.MaxArgs {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "A signature of function %s has %d arguments, not %s", f.Name, len(s.Args), arity(f))
	}
	if i := ownArg(f, args); i >= 0 {
		b, err := bindOwn(env, f, args, i)
		if err == nil && !b.Result.Equal(s.Result) {
			err = sqlerr.New(sqlerr.IncorrectData, "A signature of function %s returns %s, not %s", f.Name, s.Result, b.Result)
		}
		return b, err
	}
	if a, b := s.Inner.Inner(), s.Result.Inner(); a.Phys() != b.Phys() && s.Inner.Kind != types.Nothing {
		return nil, sqlerr.New(sqlerr.IncorrectData, "A signature of function %s returns %s as %s", f.Name, s.Inner, s.Result)
	}
	return &Bound{Func: f, Result: s.Result, args: s.Args, inner: s.Inner}, nil
}
