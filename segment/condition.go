package segment

import (
	"fmt"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

// Condition is the prunable form of a predicate: all terms must hold. A predicate that implies the
// Condition may use it; what cannot be said in terms is left out, since pruning only ever drops rows that
// a term excludes. The zero Condition holds always.
type Condition struct{ Terms []Term }

// TermKind says what a Term claims of a row.
type TermKind uint8

// The kinds. A comparison with NULL or NaN in a row holds as in SQL: never for NULL, for NaN only !=.
const (
	Compare   TermKind = iota // Column Op Values[0]
	In                        // Column equals one of Values
	NotIn                     // Column equals none of Values
	IsNull                    // Column is NULL
	IsNotNull                 // Column is not NULL
	Prefix                    // Column begins with the string Values[0]
	Contains                  // Column contains the string Values[0]
	HasToken                  // Column contains the token Values[0]: a run of letters and digits between other bytes
	HasElem                   // the array Column has an element equal to Values[0]
	KeyRange                  // the tuple of Keys, a prefix of the sort key, lies between Lo and Hi
	AnyOf                     // at least one of Any holds
	AtPath                    // what the objects of Column have at Path satisfies the one of Types that is about values of its type, or is of another type and Others
)

var kindNames = [...]string{"compare", "in", "not in", "is null", "is not null", "begins with", "contains", "has token", "has", "between", "any of", "at path"}

// Term is one claim of a Condition.
type Term struct {
	Kind TermKind
	// Column is the name of a stored column or of a computed expression of the segment. Terms on
	// columns a segment does not have are ignored.
	Column string
	Op     kernel.Op
	// Values are constants of the column's type (Nullable or not, of an array's element type for HasElem).
	Values column.Vector
	// Keys, Lo and Hi are for KeyRange: bounds of equal or lesser length than Keys, empty for none; open bounds are not included.
	Keys           []string
	Lo, Hi         []Value
	LoOpen, HiOpen bool
	Any            []Condition
	// Path, Types and Others are for AtPath. Types are terms without Column of kinds with Values, at most one of a type; Others says that values of other
	// types, too, may satisfy what the term stands for. NULL, and no value at all, never do.
	Path   string
	Types  []Term
	Others bool
}

// Cmp is the term "name op x", x being value 0 of v.
func Cmp(name string, op kernel.Op, v column.Vector) Term {
	return Term{Kind: Compare, Column: name, Op: op, Values: v}
}

// And returns a condition of all terms.
func And(terms ...Term) Condition { return Condition{Terms: terms} }

// Or returns the term that one of the conditions holds.
func Or(conds ...Condition) Term { return Term{Kind: AnyOf, Any: conds} }

// String prints the condition.
func (c Condition) String() string {
	parts := make([]string, len(c.Terms))
	for i, t := range c.Terms {
		parts[i] = t.String()
	}
	return strings.Join(parts, " and ")
}

// String prints the term.
func (t Term) String() string {
	switch t.Kind {
	case Compare:
		return fmt.Sprintf("%s %s %s", t.Column, t.Op, listString(t.Values))
	case IsNull, IsNotNull:
		return t.Column + " " + kindNames[t.Kind]
	case KeyRange:
		open, shut := "[", "]"
		if t.LoOpen {
			open = "("
		}
		if t.HiOpen {
			shut = ")"
		}
		return fmt.Sprintf("(%s) in %s%s, %s%s", strings.Join(t.Keys, ", "), open, keyString(t.Lo), keyString(t.Hi), shut)
	case AtPath:
		parts := make([]string, 0, len(t.Types)+1)
		for _, one := range t.Types {
			one.Column = t.Column + "." + t.Path + ".:" + one.Values.Type().String()
			parts = append(parts, one.String())
		}
		if t.Others {
			parts = append(parts, t.Column+"."+t.Path+" of another type")
		}
		return strings.Join(parts, " or ")
	case AnyOf:
		parts := make([]string, len(t.Any))
		for i, c := range t.Any {
			parts[i] = c.String()
		}
		return "(" + strings.Join(parts, " or ") + ")"
	}
	return fmt.Sprintf("%s %s %s", t.Column, kindNames[t.Kind], listString(t.Values))
}

// maxPrinted is how many constants String shows.
const maxPrinted = 10

func listString(v column.Vector) string {
	if v == nil {
		return "()"
	}
	if v.Len() == 1 {
		return ValueAt(v, 0).String()
	}
	parts := []string{}
	for i := 0; i < v.Len() && i < maxPrinted; i++ {
		parts = append(parts, ValueAt(v, i).String())
	}
	if v.Len() > maxPrinted {
		parts = append(parts, fmt.Sprintf("… %d more", v.Len()-maxPrinted))
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
