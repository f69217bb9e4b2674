// Package diff compares olapd with ClickHouse.
//
// The corpus, testdata/corpus/AREA.txt, holds statements with ClickHouse's results. One
// directive is one statement:
//
//	exec            a statement without a result; expects "ok" or "error CODE"
//	query           a query; expects TSVWithNamesAndTypes, or "error CODE"
//	query sort      rows in any order
//	query float=R   numbers may differ by the relative error R
//	query format=F  in ClickHouse's format F
//
// Each file runs in a database of its own, in its own session. The goldens come from
// ClickHouse only (`make test-diff-rewrite`), never from olapd. A plain `go test` checks the
// goldens against ClickHouse if that is installed; with -server (`make test-diff`) olapd is
// checked against the goldens. What olapd refuses as not implemented (code 48) is counted
// apart, so is what known_differences.tsv lists, and everything else that differs is a failure.
//
// random.go generates statements from a seed; they are compared between all engines at hand,
// and a difference is shown with the smallest statement that still has it.
package diff

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/test/olapd"
	"github.com/olapd/olapd/test/oracle"
)

// notImplemented is the error code of what olapd knows it lacks.
const notImplemented = 48

// outcome is what an engine made of a statement: data, or an error code.
type outcome struct {
	data    string
	code    int
	message string // of the error, for the reader of a failure
}

// String is the golden form: the data, or "error CODE".
func (o outcome) String() string {
	switch {
	case o.code != 0:
		return fmt.Sprintf("error %d\n", o.code)
	case o.data == "":
		return "ok\n"
	}
	return o.data
}

// engine runs statements one after the other in one session.
type engine interface {
	name() string
	// run executes a statement. An error is a failure of the harness or the process, not
	// of the statement.
	run(ctx context.Context, sql, format string) (outcome, error)
}

// peer is an oracle as an engine.
type peer struct {
	label string
	*oracle.Oracle
}

func (p peer) name() string { return p.label }

func (p peer) run(ctx context.Context, sql, format string) (outcome, error) {
	r, err := p.Query(ctx, sql, format)
	var refused *oracle.Error
	if errors.As(err, &refused) {
		return outcome{code: refused.Code, message: refused.Message}, nil
	}
	return outcome{data: string(r.Data)}, err
}

// session is an HTTP session with olapd as an engine.
type session struct{ olapd.Session }

func (s *session) name() string { return "olapd" }

func (s *session) run(ctx context.Context, sql, format string) (outcome, error) {
	a, err := s.Run(ctx, sql, format)
	return outcome{data: a.Data, code: a.Code, message: a.Message}, err
}

// rules say how two results are compared.
type rules struct {
	sort   bool    // rows in any order
	float  float64 // relative error allowed between numbers
	header int     // lines that are not rows
}

// equal reports whether two golden forms agree under the rules.
func (r rules) equal(a, b string) bool {
	if a == b {
		return true
	}
	if strings.HasPrefix(a, "error ") || strings.HasPrefix(b, "error ") || !r.sort && r.float == 0 {
		return false
	}
	la, lb := r.lines(a), r.lines(b)
	if len(la) != len(lb) {
		return false
	}
	for i := range la {
		if la[i] != lb[i] && !r.equalLine(la[i], lb[i]) {
			return false
		}
	}
	return true
}

func (r rules) lines(s string) []string {
	lines := strings.Split(s, "\n")
	if r.sort && len(lines) > r.header {
		slices.Sort(lines[r.header:])
	}
	return lines
}

// equalLine compares two rows field by field; fields of arrays and tuples count as fields.
func (r rules) equalLine(a, b string) bool {
	if r.float == 0 {
		return false
	}
	isSep := func(c rune) bool { return strings.ContainsRune("\t,[](){}: ", c) }
	fa, fb := strings.FieldsFunc(a, isSep), strings.FieldsFunc(b, isSep)
	if len(fa) != len(fb) {
		return false
	}
	for i := range fa {
		if fa[i] == fb[i] {
			continue
		}
		x, errX := strconv.ParseFloat(fa[i], 64)
		y, errY := strconv.ParseFloat(fb[i], 64)
		if errX != nil || errY != nil || !(math.Abs(x-y) <= r.float*max(math.Abs(x), math.Abs(y))) {
			return false
		}
	}
	return true
}
