// Package function holds the scalar and the aggregate functions of SQL.
//
// A function is declared once, as a *Scalar or *AggregateFamily in the file of its family, and
// registered from that file's init. Everything else (the analyzer, system.functions, the
// documentation) reads the registry. Evaluation is vectorised: one call per
// vector, loops inside, never a call per row.
//
// This file: what a scalar function is. bind.go: how a call of one is typed and run, with
// the handling of NULL, constants and dictionaries that most functions share.
// aggregate.go: aggregate functions and their states.
package function

import (
	"context"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/types"
)

// Env is what functions may know of the query they run in. It is read-only during a
// query and shared by its workers.
type Env struct {
	Ctx      context.Context // cancelled when the query is
	Now      time.Time       // one instant for the whole query
	Zone     *time.Location  // of the session: for DateTime without a declared zone
	Database string
	User     string
	// Roles are those of the user.
	Roles   Roles
	QueryID string
	// Budget is the query's memory, which results that outgrow their arguments are held against; nil for none.
	Budget *mem.Budget
	Host   string
	// Setting returns a setting's value as text; nil where there is no session.
	Setting func(name string) (string, bool)
	// TextSetting reports whether a setting is a string, even where its text looks like a number; nil: none is.
	TextSetting func(name string) bool
	// Dictionaries are those that dictGet and its kin read; nil: none.
	Dictionaries Dictionaries
	// Server describes the process: version, uptime and so on.
	Server Server
}

// Roles are the names of a user's roles: those that are current, those that are active by them, and those that are current from the start.
type Roles struct{ Current, Enabled, Default []string }

// Server is what functions such as version() say of the process.
type Server struct {
	Version     string // ClickHouse-shaped, such as 25.8.1.1
	Revision    uint32
	DisplayName string
	UUID        types.U128
	Started     time.Time
	// Clock returns the present instant, for uptime().
	Clock func() time.Time
}

// Arg is an argument of a call as the analyzer knows it.
type Arg struct {
	// Type is the declared type, LowCardinality included; of a lambda, the type of its result.
	Type *types.Type
	// Const is a flat vector of length 1 if the argument is constant, else nil.
	Const column.Vector
	// Lambda says that the argument is a lambda.
	Lambda bool
	// Name is the argument's SQL text, for tuple element names and messages.
	Name string
}

// NullMode says what a function does with NULL.
type NullMode uint8

const (
	// NullPropagate: a NULL argument makes the result NULL; Eval sees no Nullable vectors and
	// Resolve no Nullable types. What most functions do.
	NullPropagate NullMode = iota
	// NullCustom: Resolve and Eval see Nullable types and vectors and decide themselves.
	NullCustom
)

// Scalar declares a scalar function.
type Scalar struct {
	Name            string
	Aliases         []string
	CaseInsensitive bool // Name and Aliases match in any case
	MinArgs         int
	MaxArgs         int // -1: no limit
	Nulls           NullMode
	// Volatile functions (rand, now in a streaming sense, rowNumberInAllBlocks …) are evaluated per
	// row or block: never folded, cached or moved.
	Volatile bool
	// Changing functions may return something else in another query, though not within one: no part of a key.
	Changing bool
	// ExactType functions see LowCardinality in Resolve and their result's type is what Resolve says
	// (CAST, toTypeName …); of the others the frame adds LowCardinality to the result where ClickHouse does.
	ExactType bool
	// KeepConst functions want Const vectors of length n as they are even if all arguments
	// are constant (materialize, ignore …); others are evaluated once on one row then.
	KeepConst bool
	// ConstArgs are positions that must be constant; Call.Args holds Const vectors there.
	ConstArgs []int
	// Lambda returns the types of the lambda's n parameters from the other arguments (those
	// behind the lambda); nil if the function takes no lambda. A lambda is always the first argument.
	Lambda func(args []Arg, n int) ([]*types.Type, error)
	// Resolve returns the result type. Argument types have no LowCardinality and, with
	// NullPropagate, no Nullable. Errors are IllegalTypeOfArgument and the like.
	Resolve func(env *Env, args []Arg) (*types.Type, error)
	// Eval computes Rows results of type Result. The result may be Const.
	Eval func(c *Call) (column.Vector, error)
	// Family groups functions in documentation: arithmetic, strings, dates …
	Family string
	// Doc is one sentence, beginning with a verb; Example is a SQL expression with its result as "expr → result".
	Doc, Example string
}

// Call is one evaluation of a scalar function.
type Call struct {
	Env    *Env
	Args   []column.Vector // of length Rows, never Dict; Const as it comes. The lambda's place is nil
	Types  []*types.Type   // argument types as Resolve saw them
	Result *types.Type
	Rows   int
	roomy  int64 // bytes of a result that are known to fit
	// Lambda evaluates the lambda argument over args (one vector per parameter, equally
	// long); rows[i] is the row of this call from which element i comes, for captured columns.
	Lambda func(args []column.Vector, rows []uint32) (column.Vector, error)
}
