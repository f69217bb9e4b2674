package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Norms and distances take arrays of numbers, which are read in place (distance_array.go), or tuples, for which they are compositions of the
// functions of elements.

// A vectorMetric is a norm of one vector or a distance of two.
type vectorMetric struct {
	name    string
	aliases []string
	vectors int  // arguments that are vectors: 1 or 2
	power   bool // a constant follows: the p of Lp
	kind    metricKind
	tuples  tupleCompose
	doc     string
	example string
}

type metricKind uint8

const (
	metricL1 metricKind = iota
	metricL2
	metricL2Squared
	metricLinf
	metricLp
	metricCosine
)

func init() {
	for _, m := range []vectorMetric{
		{"L1Norm", []string{"normL1"}, 1, false, metricL1, normL1, "Returns the sum of the absolute values of a vector.", "L1Norm((1, -2)) → 3"},
		{"L2Norm", []string{"normL2"}, 1, false, metricL2, normL2, "Returns the Euclidean length of a vector.", "L2Norm((3, 4)) → 5"},
		{"L2SquaredNorm", []string{"normL2Squared"}, 1, false, metricL2Squared, normL2Squared, "Returns the sum of the squares of a vector.", "L2SquaredNorm((3, 4)) → 25"},
		{"LinfNorm", []string{"normLinf"}, 1, false, metricLinf, normLinf, "Returns the greatest absolute value of a vector.", "LinfNorm((1, -2)) → 2"},
		{"LpNorm", []string{"normLp"}, 1, true, metricLp, normLp, "Returns the p-norm of a vector.", "LpNorm((3, 4), 2) → 5"},
		{"L1Distance", []string{"distanceL1"}, 2, false, metricL1, ofDifference(normL1), "Returns the sum of the absolute differences of two vectors.", "L1Distance((1, 2), (2, 3)) → 2"},
		{"L2Distance", []string{"distanceL2"}, 2, false, metricL2, ofDifference(normL2), "Returns the Euclidean distance of two vectors.", "L2Distance((1, 1), (4, 5)) → 5"},
		{"L2SquaredDistance", []string{"distanceL2Squared"}, 2, false, metricL2Squared, ofDifference(normL2Squared), "Returns the sum of the squared differences of two vectors.", "L2SquaredDistance((1, 1), (4, 5)) → 25"},
		{"LinfDistance", []string{"distanceLinf"}, 2, false, metricLinf, ofDifference(normLinf), "Returns the greatest absolute difference of two vectors.", "LinfDistance((1, 2), (2, 4)) → 2"},
		{"LpDistance", []string{"distanceLp"}, 2, true, metricLp, ofDifference(normLp), "Returns the p-norm of the difference of two vectors.", "LpDistance((1, 1), (4, 5), 2) → 5"},
		{"cosineDistance", []string{"distanceCosine"}, 2, false, metricCosine, cosineOfTuples, "Returns 1 minus the cosine of the angle between two vectors.", "cosineDistance((1, 0), (0, 1)) → 1"},
	} {
		register(m.scalar())
	}
	for _, n := range []struct {
		name, alias string
		power       bool
		norm        tupleCompose
		doc         string
		example     string
	}{
		{"L1Normalize", "normalizeL1", false, normL1, "Divides a tuple by its L1Norm.", "L1Normalize((1, 3)) → (0.25,0.75)"},
		{"L2Normalize", "normalizeL2", false, normL2, "Divides a tuple by its Euclidean length.", "L2Normalize((3, 4)) → (0.6,0.8)"},
		{"LinfNormalize", "normalizeLinf", false, normLinf, "Divides a tuple by its greatest absolute value.", "LinfNormalize((3, 4)) → (0.75,1)"},
		{"LpNormalize", "normalizeLp", true, normLp, "Divides a tuple by its p-norm.", "LpNormalize((3, 4), 2) → (0.6,0.8)"},
	} {
		s := Scalar{Name: n.name, Aliases: []string{n.alias}, MinArgs: 1, MaxArgs: 1, Doc: n.doc, Example: n.example}
		check := tupleFirst(n.name)
		if n.power {
			s.MinArgs, s.MaxArgs, s.ConstArgs, check = 2, 2, []int{1}, powerAt(1, n.name, check)
		}
		register(composedTuples(s, check, func(x *composer, args []part) part {
			return x.call("tupleDivideByNumber", args[0], n.norm(x, args))
		}))
	}
	dot := composedTuples(Scalar{Name: "dotProduct", Aliases: []string{"scalarProduct", "arrayDotProduct"}, MinArgs: 2, MaxArgs: 2,
		Doc: "Returns the scalar product of two vectors.", Example: "dotProduct((1, 2), (2, 3)) → 8"}, bothTuples("dotProduct"), dotOfTuples)
	register(arraysToo(dot, resolveDot, evalDot))
}

// scalar declares the function of a metric.
func (m vectorMetric) scalar() *Scalar {
	s := Scalar{Name: m.name, Aliases: m.aliases, MinArgs: m.vectors, MaxArgs: m.vectors, Doc: m.doc, Example: m.example}
	check := tupleFirst(m.name)
	if m.vectors == 2 {
		check = bothTuples(m.name)
	}
	if m.power {
		s.ConstArgs, check = []int{m.vectors}, powerAt(m.vectors, m.name, check)
		s.MinArgs, s.MaxArgs = m.vectors+1, m.vectors+1
	}
	return arraysToo(composedTuples(s, check, m.tuples), m.resolveArrays, m.evalArrays)
}

// arraysToo makes a function of tuples one of arrays, too: the first argument decides.
func arraysToo(s *Scalar, resolve func(args []Arg) (*types.Type, error), eval func(*Call) (column.Vector, error)) *Scalar {
	s.Family = "distances"
	tuples, evalTuples := s.Resolve, s.Eval
	s.Resolve = func(env *Env, args []Arg) (*types.Type, error) {
		if isArray(args[0].Type) {
			return resolve(args)
		}
		return tuples(env, args)
	}
	s.Eval = func(c *Call) (column.Vector, error) {
		if isArray(c.Types[0]) {
			return eval(c)
		}
		return evalTuples(c)
	}
	return s
}

// powerAt adds the check of the constant p of Lp to another.
func powerAt(i int, name string, check func([]Arg) error) func([]Arg) error {
	return func(args []Arg) error {
		if err := check(args); err != nil {
			return err
		}
		return checkPower(i, name, args)
	}
}

func checkPower(i int, name string, args []Arg) error {
	if !isPlainNum(args[i].Type) {
		return sqlerr.New(sqlerr.IllegalTypeOfArgument, "Argument p of function %s must be numeric constant", name)
	}
	if p := numsOf[float64](args[i].Const)[0]; !(p >= 1) || math.IsInf(p, 1) {
		return sqlerr.New(sqlerr.ArgumentOutOfBound, "Second argument for function %s must be not less than one and not be an infinity", name)
	}
	return nil
}

// ofDifference is the norm of the difference of two tuples; what follows them is the norm's.
func ofDifference(norm tupleCompose) tupleCompose {
	return func(x *composer, args []part) part {
		d := x.tupleOf(x.pairs("minus", args[0], args[1]))
		if x.err != nil {
			return part{}
		}
		return norm(x, append([]part{d}, args[2:]...))
	}
}

func normL1(x *composer, args []part) part { return x.sum(x.each("abs", args[0])) }

func normL2Squared(x *composer, args []part) part {
	return x.sum(x.pairs("multiply", args[0], args[0]))
}

func normL2(x *composer, args []part) part { return x.call("sqrt", normL2Squared(x, args)) }

func normLinf(x *composer, args []part) part {
	abs := x.each("abs", args[0])
	if len(abs) < 2 { // as ClickHouse, whose maximum of two is a Float64
		return x.sum(abs)
	}
	return x.call("toFloat64", x.call("greatest", abs...))
}

func normLp(x *composer, args []part) part {
	elems := x.each("abs", args[0])
	if len(elems) == 0 {
		return x.sum(elems)
	}
	for i, e := range elems {
		elems[i] = x.call("pow", e, args[1])
	}
	one := x.literal(newNum(types.TFloat64, []float64{1}))
	return x.call("pow", x.sum(elems), x.call("divide", one, args[1]))
}

func dotOfTuples(x *composer, args []part) part { return x.sum(x.pairs("multiply", args[0], args[1])) }

func cosineOfTuples(x *composer, args []part) part {
	lengths := x.call("multiply", normL2(x, args[:1]), normL2(x, args[1:2]))
	one := x.literal(newNum(types.TUInt8, []uint8{1}))
	return x.call("minus", one, x.call("divide", dotOfTuples(x, args), lengths))
}
