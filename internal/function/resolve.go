package function

import (
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// argCheck says whether an argument may have a type.
type argCheck func(*types.Type) bool

// fixed returns a Resolve of one result type; the last check holds for all further arguments too.
func fixed(name string, result *types.Type, checks ...argCheck) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		return result, checkTypes(name, args, checks...)
	}
}

// sameAs0 returns a Resolve whose result is the first argument's type.
func sameAs0(name string, checks ...argCheck) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		return args[0].Type, checkTypes(name, args, checks...)
	}
}

func checkTypes(name string, args []Arg, checks ...argCheck) error {
	if len(checks) == 0 {
		return nil
	}
	for i, a := range args {
		if check := checks[min(i, len(checks)-1)]; !check(a.Type) {
			return illegal(name, i, a.Type)
		}
	}
	return nil
}

// illegal is the error of an argument (from 0) of a type the function does not take.
func illegal(name string, i int, t *types.Type) error {
	return sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument %d of function %s", t, i+1, name)
}

func isAny(*types.Type) bool { return true }

func isStr(t *types.Type) bool { return t.IsString() }

// isPlainInt: an integer of at most 64 bits.
func isPlainInt(t *types.Type) bool { return t.IsInteger() && t.Width() <= 8 }

// isWideInt: an integer of 128 or 256 bits.
func isWideInt(t *types.Type) bool { return t.IsInteger() && t.Width() > 8 }

// isPlainNum: an integer of at most 64 bits or a float.
func isPlainNum(t *types.Type) bool { return isPlainInt(t) || t.IsFloat() }

// isNumeric: a plain number or a decimal.
func isNumeric(t *types.Type) bool { return isPlainNum(t) || t.Kind == types.Decimal }

// isAnyNumber: isNumeric, or an integer of more than 64 bits.
func isAnyNumber(t *types.Type) bool { return isNumeric(t) || isWideInt(t) }

func isDecimal(t *types.Type) bool { return t.Kind == types.Decimal }

func isArray(t *types.Type) bool { return t.Kind == types.Array }

func isMap(t *types.Type) bool { return t.Kind == types.Map }

func isTuple(t *types.Type) bool { return t.Kind == types.Tuple }

func isIPv4(t *types.Type) bool { return t.Kind == types.IPv4 }

// anyOf joins checks.
func anyOf(checks ...argCheck) argCheck {
	return func(t *types.Type) bool {
		for _, c := range checks {
			if c(t) {
				return true
			}
		}
		return false
	}
}

// constString returns the constant string argument i; ok is false if it is no constant or no string.
func constString(args []Arg, i int) (string, bool) {
	if i >= len(args) || args[i].Const == nil {
		return "", false
	}
	s, ok := stringConst(args[i].Const)
	return s, ok
}

// wrongCount is the error of too few arguments, where what is too few depends on their types.
func wrongCount(name string, n, want int) error {
	return sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Number of arguments for function %s doesn't match: passed %d, should be at least %d", name, n, want)
}
