package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// AggregateFamily declares an aggregate function; with its parameters and argument types
// it becomes an Aggregate (see BindAggregate, which also knows the combinators).
type AggregateFamily struct {
	Name            string
	Aliases         []string
	CaseInsensitive bool
	MinArgs         int
	MaxArgs         int // -1: no limit
	// Parametric: Resolve reads parameters; else a call with some is AggregateFunctionDoesntAllowParameters.
	Parametric bool
	// NullArgs: Resolve and States.Add see Nullable arguments. Else rows with a NULL in any
	// argument are skipped before Add.
	NullArgs bool
	// EmptyNull: over Nullable arguments the result is Nullable, and NULL of no rows (sum, avg, min …; not count, uniq).
	EmptyNull bool
	// Resolve returns the function for constant parameters (flat vectors of length 1) and argument
	// types without LowCardinality (and without Nullable, unless NullArgs).
	Resolve      func(env *Env, params []column.Vector, args []*types.Type) (Aggregate, error)
	Doc, Example string
}

// Aggregate is an aggregate function of fixed parameters and argument types. It is
// immutable and shared by workers.
type Aggregate interface {
	// Result is the type of the finished value.
	Result() *types.Type
	// New returns an empty set of states. Each worker has its own.
	New() States
}

// States holds the states of one aggregate function for groups 0..Len-1, as arrays by
// group rather than one object a group. Not safe for concurrent use.
type States interface {
	// Len is the number of groups.
	Len() int
	// Grow adds empty groups until there are n.
	Grow(n int)
	// Add adds row i of the arguments to group groups[i]; groups nil means all rows to
	// group 0. Arguments may be Const or Dict; there are n rows.
	Add(groups []uint32, args []column.Vector, n int) error
	// Merge adds group sel[i] of other, of the same Aggregate, to group groups[i]; sel nil means all groups in order, groups nil
	// means all to group 0. The groups of other that were merged are used up.
	Merge(groups []uint32, other States, sel []uint32) error
	// Save appends the serialised states of groups [from, to) to dst, one value each. The
	// bytes are versioned by the aggregate's name and stable across releases.
	Save(dst *column.Str, from, to int)
	// Load adds saved state i to group groups[i]; bytes that are no state are IncorrectData. The input is untrusted.
	Load(groups []uint32, src *column.Str) error
	// Finish returns the results of groups [from, to) as Aggregate.Result.
	Finish(from, to int) (column.Vector, error)
	// Bytes is the memory held, for accounting; it may be an estimate, must be O(1).
	Bytes() int64
}

// Apart is States of which groups may have nothing in common but the array they are in: where Apart says so, Merge, Finish and Save, each of other groups,
// may run at once.
type Apart interface {
	States
	Apart() bool
}

// Reusable is States that can be emptied, to be used for other groups: their memory stays.
type Reusable interface {
	States
	Reset()
}
