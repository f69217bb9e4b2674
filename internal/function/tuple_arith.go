package function

import (
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Functions of tuples as vectors are compositions of the functions of their elements, and have their types and errors.

// tupleCompose computes a result from the tuples and numbers of a call.
type tupleCompose func(x *composer, args []part) part

func init() {
	for _, op := range []struct {
		name    string
		aliases []string
		of      string
		doc     string
		example string
	}{
		{"tuplePlus", []string{"vectorSum"}, "plus", "Adds the elements of two tuples.", "tuplePlus((1, 2), (2, 3)) → (3,5)"},
		{"tupleMinus", []string{"vectorDifference"}, "minus", "Subtracts the elements of a tuple.", "tupleMinus((1, 2), (2, 3)) → (-1,-1)"},
		{"tupleMultiply", nil, "multiply", "Multiplies the elements of two tuples.", "tupleMultiply((1, 2), (2, 3)) → (2,6)"},
		{"tupleDivide", nil, "divide", "Divides the elements of two tuples.", "tupleDivide((1, 2), (2, 4)) → (0.5,0.5)"},
		{"tupleIntDiv", nil, "intDiv", "Divides the elements of two tuples, rounding towards zero.", "tupleIntDiv((15, 10), (5, 3)) → (3,3)"},
		{"tupleIntDivOrZero", nil, "intDivOrZero", "Divides the elements of two tuples; division by zero gives 0.", "tupleIntDivOrZero((15, 10), (0, 3)) → (0,3)"},
		{"tupleModulo", nil, "modulo", "Returns the remainders of the elements of two tuples.", "tupleModulo((15, 10), (4, 3)) → (3,1)"},
	} {
		register(composedTuples(Scalar{Name: op.name, Aliases: op.aliases, MinArgs: 2, MaxArgs: 2, Doc: op.doc, Example: op.example}, bothTuples(op.name), elementwise(op.of)))
	}
	for _, op := range []struct{ name, of, doc, example string }{
		{"tupleMultiplyByNumber", "multiply", "Multiplies the elements of a tuple by a number.", "tupleMultiplyByNumber((1, 2), -2) → (-2,-4)"},
		{"tupleDivideByNumber", "divide", "Divides the elements of a tuple by a number.", "tupleDivideByNumber((1, 2), 2) → (0.5,1)"},
		{"tupleIntDivByNumber", "intDiv", "Divides the elements of a tuple by a number, rounding towards zero.", "tupleIntDivByNumber((15, 10), 5) → (3,2)"},
		{"tupleIntDivOrZeroByNumber", "intDivOrZero", "Divides the elements of a tuple by a number; division by zero gives 0.", "tupleIntDivOrZeroByNumber((15, 10), 0) → (0,0)"},
		{"tupleModuloByNumber", "modulo", "Returns the remainders of the elements of a tuple by a number.", "tupleModuloByNumber((15, 10), 4) → (3,2)"},
		{"tuplePositiveModuloByNumber", "positiveModulo", "Returns the remainders of the elements of a tuple by a number, never negative.", "tuplePositiveModuloByNumber((-15, 10), 4) → (1,2)"},
	} {
		register(composedTuples(Scalar{Name: op.name, MinArgs: 2, MaxArgs: 2, Doc: op.doc, Example: op.example}, tupleFirst(op.name), byNumber(op.of)))
	}
	register(
		composedTuples(Scalar{Name: "tupleNegate", MinArgs: 1, MaxArgs: 1, Doc: "Changes the sign of the elements of a tuple.", Example: "tupleNegate((1, 2)) → (-1,-2)"},
			tupleFirst("tupleNegate"), negatedTuple),
		composedTuples(Scalar{Name: "tupleHammingDistance", MinArgs: 2, MaxArgs: 2, Doc: "Counts the elements in which two tuples differ.", Example: "tupleHammingDistance((1, 2, 3), (3, 2, 1)) → 2"},
			bothTuples("tupleHammingDistance"), func(x *composer, args []part) part { return x.sum(x.pairs("notEquals", args[0], args[1])) }),
		&Scalar{Name: "tupleConcat", MinArgs: 0, MaxArgs: -1, Resolve: resolveTupleConcat, Eval: evalTupleConcat, Family: "tuples", Doc: "Joins tuples.", Example: "tupleConcat((1, 'a'), (2, 3)) → (1,'a',2,3)"},
		&Scalar{Name: "tupleNames", MinArgs: 1, MaxArgs: 1, Resolve: resolveTupleNames, Eval: evalTupleNames, Family: "tuples", Doc: "Returns the names of a tuple's elements.", Example: "tupleNames((1, 2)) → ['1','2']"},
		&Scalar{Name: "tupleToNameValuePairs", MinArgs: 1, MaxArgs: 1, Resolve: resolveTuplePairs, Eval: evalTuplePairs, Family: "tuples", Doc: "Makes an array of names and values of a tuple whose elements are of one type.", Example: "tupleToNameValuePairs((1, 2)) → [('1',1),('2',2)]"},
		&Scalar{Name: "flattenTuple", MinArgs: 1, MaxArgs: 1, Resolve: resolveFlattenTuple, Eval: evalFlattenTuple, Family: "tuples", Doc: "Makes a tuple of the elements of the tuples within a named tuple, named by their paths."},
	)
}

// composedTuples completes the declaration of a composition over arguments that check lets pass.
func composedTuples(s Scalar, check func([]Arg) error, compose tupleCompose) *Scalar {
	s.Family = "tuples"
	s.Resolve = func(env *Env, args []Arg) (*types.Type, error) {
		if err := check(args); err != nil {
			return nil, err
		}
		return composedType(env, compose, args)
	}
	s.Eval = func(c *Call) (column.Vector, error) { return composedValue(compose, c) }
	return &s
}

func composedType(env *Env, compose tupleCompose, args []Arg) (*types.Type, error) {
	x := &composer{env: env, rows: -1}
	out := compose(x, partsOf(args))
	return out.Type, x.err
}

func composedValue(compose tupleCompose, c *Call) (column.Vector, error) {
	x := &composer{env: c.Env, rows: c.Rows}
	out := compose(x, evaluatedParts(c))
	return out.vec, x.err
}

func tupleFirst(name string) func([]Arg) error {
	return func(args []Arg) error {
		if !isTuple(args[0].Type) {
			return illegal(name, 0, args[0].Type)
		}
		return nil
	}
}

func bothTuples(name string) func([]Arg) error {
	return func(args []Arg) error {
		if err := checkTypes(name, args[:2], isTuple); err != nil {
			return err
		}
		if a, b := args[0].Type, args[1].Type; len(a.Elems) != len(b.Elems) {
			return sqlerr.New(sqlerr.IllegalTypeOfArgument, "Expected tuples of the same size as arguments of function %s. Got %s and %s", name, a, b)
		}
		return nil
	}
}

func elementwise(of string) tupleCompose {
	return func(x *composer, args []part) part { return x.tupleOf(x.pairs(of, args[0], args[1])) }
}

func byNumber(of string) tupleCompose {
	return func(x *composer, args []part) part {
		elems := x.elements(args[0])
		for i, e := range elems {
			elems[i] = x.call(of, e, args[1])
		}
		return x.tupleOf(elems)
	}
}

func negatedTuple(x *composer, args []part) part { return x.tupleOf(x.each("negate", args[0])) }

// tupleOperator is what an operator does with tuples; nil if it takes none of these types.
func tupleOperator(op arithOp, a, b *types.Type) tupleCompose {
	name := op.String()
	additive := op == opPlus || op == opMinus
	switch {
	case isTuple(a) && isTuple(b):
		switch {
		case len(a.Elems) != len(b.Elems):
			return nil
		case additive:
			return elementwise(name)
		case op == opMultiply:
			return dotOfTuples
		}
	case isTuple(a) && isAnyNumber(b):
		switch op {
		case opMultiply, opDivide, opIntDiv, opIntDivOrZero, opModulo, opPositiveModulo:
			return byNumber(name)
		}
	case isAnyNumber(a) && op == opMultiply:
		return swapped(byNumber(name))
	case additive && isTuple(b) && a.IsDateOrTime():
		return inTurn(name)
	case op == opPlus && isTuple(a) && b.IsDateOrTime():
		return swapped(inTurn(name))
	}
	return nil
}

func swapped(f tupleCompose) tupleCompose {
	return func(x *composer, args []part) part { return f(x, []part{args[1], args[0]}) }
}

// inTurn adds or subtracts the elements of a tuple one after the other.
func inTurn(name string) tupleCompose {
	return func(x *composer, args []part) part {
		out := args[0]
		for _, e := range x.elements(args[1]) {
			out = x.call(name, out, e)
		}
		return out
	}
}

// each applies a function to every element of a tuple.
func (x *composer) each(name string, t part) []part {
	elems := x.elements(t)
	for i, e := range elems {
		elems[i] = x.call(name, e)
	}
	return elems
}

// pairs applies a function to the elements of two tuples of one size.
func (x *composer) pairs(name string, a, b part) []part {
	out, right := x.elements(a), x.elements(b)
	for i, e := range out {
		out[i] = x.call(name, e, right[i])
	}
	return out
}

func (x *composer) tupleOf(elems []part) part { return x.call("tuple", elems...) }

// sum adds up; of nothing it is 0.
func (x *composer) sum(elems []part) part {
	if len(elems) == 0 {
		return x.literal(newNum(types.TUInt8, []uint8{0}))
	}
	total := elems[0]
	for _, e := range elems[1:] {
		total = x.call("plus", total, e)
	}
	return total
}

func resolveTupleConcat(_ *Env, args []Arg) (*types.Type, error) {
	if len(args) == 0 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Function tupleConcat expects at least 1 argument")
	}
	if err := checkTypes("tupleConcat", args, isTuple); err != nil {
		return nil, err
	}
	var elems []*types.Type
	for _, a := range args {
		elems = append(elems, a.Type.Elems...)
	}
	return types.NewTuple(elems, nil), nil
}

func evalTupleConcat(c *Call) (column.Vector, error) {
	out := &column.Tuple{Typ: c.Result, N: c.Rows}
	for _, a := range c.Args {
		out.Elems = append(out.Elems, column.Flatten(a).(*column.Tuple).Elems...)
	}
	return out, nil
}

func resolveTupleNames(_ *Env, args []Arg) (*types.Type, error) {
	return types.NewArray(types.TString), checkTypes("tupleNames", args, isTuple)
}

func evalTupleNames(c *Call) (column.Vector, error) {
	out := column.New(c.Result, 1).(*column.Array)
	for i := range c.Types[0].Elems {
		out.Elem.(*column.Str).AppendString(elementName(c.Types[0], i))
	}
	out.EndValue()
	return &column.Const{Value: out, N: c.Rows}, nil
}

func resolveTuplePairs(_ *Env, args []Arg) (*types.Type, error) {
	t := args[0].Type
	if !isTuple(t) || len(t.Elems) == 0 {
		return nil, illegal("tupleToNameValuePairs", 0, t)
	}
	for _, e := range t.Elems[1:] {
		if !e.Equal(t.Elems[0]) {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "The argument tuple for function tupleToNameValuePairs must contain just one type")
		}
	}
	return types.NewArray(types.NewTuple([]*types.Type{types.TString, t.Elems[0]}, nil)), nil
}

func evalTuplePairs(c *Call) (column.Vector, error) {
	t := column.Flatten(c.Args[0]).(*column.Tuple)
	out := column.New(c.Result, c.Rows).(*column.Array)
	pairs := out.Elem.(*column.Tuple)
	names, values := pairs.Elems[0].(*column.Str), pairs.Elems[1].(column.Builder)
	for row := range c.Rows {
		for i, e := range t.Elems {
			names.AppendString(elementName(c.Types[0], i))
			values.AppendFrom(e, row)
		}
		pairs.N += len(t.Elems)
		out.EndValue()
	}
	return out, nil
}

func resolveFlattenTuple(_ *Env, args []Arg) (*types.Type, error) {
	t := args[0].Type
	if !isTuple(t) || t.Names == nil {
		return nil, illegal("flattenTuple", 0, t)
	}
	var elems []*types.Type
	var names []string
	for _, l := range leavesOf("", t, nil) {
		elems, names = append(elems, l.typ), append(names, l.path)
	}
	return types.NewTuple(elems, names), nil
}

func evalFlattenTuple(c *Call) (column.Vector, error) {
	out := &column.Tuple{Typ: c.Result, N: c.Rows}
	for _, l := range leavesOf("", c.Types[0], column.Flatten(c.Args[0])) {
		out.Elems = append(out.Elems, l.vec)
	}
	return out, nil
}

// leaf is an element within named tuples that is none itself; vec is nil where only types are wanted.
type leaf struct {
	path string
	typ  *types.Type
	vec  column.Vector
}

// leavesOf takes named tuples apart; arrays of them are arrays of their elements.
func leavesOf(path string, t *types.Type, v column.Vector) []leaf {
	switch {
	case isArray(t):
		a, _ := v.(*column.Array)
		var elem column.Vector
		if a != nil {
			elem = a.Elem
		}
		out := leavesOf(path, t.Elem(), elem)
		for i, l := range out {
			out[i].typ = types.NewArray(l.typ)
			if a != nil {
				out[i].vec = &column.Array{Typ: out[i].typ, Off: a.Off, Elem: l.vec}
			}
		}
		return out
	case !isTuple(t) || t.Names == nil:
		return []leaf{{path, t, v}}
	}
	var out []leaf
	for i, e := range t.Elems {
		name := t.Names[i]
		if path != "" {
			name = path + "." + name
		}
		var ev column.Vector
		if v != nil {
			ev = v.(*column.Tuple).Elems[i]
		}
		out = append(out, leavesOf(name, e, ev)...)
	}
	return out
}

// elementName is the name of an element of a tuple, its position where it has none.
func elementName(t *types.Type, i int) string {
	if t.Names == nil {
		return strconv.Itoa(i + 1)
	}
	return t.Names[i]
}
