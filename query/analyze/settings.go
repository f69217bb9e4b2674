package analyze

import (
	"strconv"
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// The limits of one statement, with ClickHouse's defaults; a setting of the name overrides.
const (
	maxSubqueryDepth    = 100     // max_subquery_depth
	maxExpandedElements = 500_000 // max_expanded_ast_elements: aliases that use aliases grow without bound
	maxExprDepth        = 1000    // max_ast_depth, after aliases are expanded
	maxResultColumns    = 100_000 // of one SELECT: what asterisks over asterisks may reach
	maxAliasLookups     = 50_000  // aliases that mean columns inside of each other are resolved anew each time
	maxSetElements      = 10_000_000
	maxRecursion        = 1000 // max_recursive_cte_evaluation_depth
)

// setting returns a setting's text; SETTINGS clauses of enclosing queries go before the session's.
func (a *analyzer) setting(name string) string {
	if v, ok := a.overlay[name]; ok {
		return v
	}
	if a.opts.Setting != nil {
		if v, ok := a.opts.Setting(name); ok {
			return v
		}
	}
	return ""
}

func (a *analyzer) flag(name string, def bool) bool {
	switch strings.ToLower(a.setting(name)) {
	case "1", "true":
		return true
	case "0", "false":
		return false
	}
	return def
}

func (a *analyzer) number(name string, def uint64) uint64 {
	if n, err := strconv.ParseUint(a.setting(name), 10, 64); err == nil && n > 0 {
		return n
	}
	return def
}

// withSettings makes the constants of a SETTINGS clause visible to f only.
func (a *analyzer) withSettings(list []ast.Setting, f func() error) error {
	if len(list) == 0 {
		return f()
	}
	old := a.overlay
	defer func() { a.overlay = old }()
	a.overlay = map[string]string{}
	for k, v := range old {
		a.overlay[k] = v
	}
	for _, s := range list {
		if l, ok := s.Value.(*ast.Literal); ok {
			a.overlay[s.Name] = literalText(l)
		}
	}
	return f()
}

// literalText is a literal's value as a setting's text.
func literalText(l *ast.Literal) string {
	switch l.Kind {
	case ast.LiteralString:
		return l.Str
	case ast.LiteralBool:
		return strconv.FormatBool(l.Bool)
	case ast.LiteralUint:
		return strconv.FormatUint(l.Uint, 10)
	case ast.LiteralInt:
		return strconv.FormatInt(l.Int, 10)
	case ast.LiteralNull:
		return ""
	}
	return l.Text
}
