package function

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(
		&AggregateFamily{Name: "sequenceMatch", MinArgs: 3, MaxArgs: maxConditions + 1, Parametric: true, EmptyNull: true, Resolve: resolveSequence("sequenceMatch", false),
			Doc: "Tests whether events in the order of time match a pattern such as (?1)(?t<=60)(?2).", Example: "sequenceMatch('(?1)(?2)')(time, a, b) → 1"},
		&AggregateFamily{Name: "sequenceCount", MinArgs: 3, MaxArgs: maxConditions + 1, Parametric: true, EmptyNull: true, Resolve: resolveSequence("sequenceCount", true),
			Doc: "Counts the chains of events in the order of time that match a pattern; they do not overlap.", Example: "sequenceCount('(?1)(?2)')(time, a, b) → 2"},
	)
}

// sequenceSteps is how many steps one match may take, as in ClickHouse: patterns with times can need very many.
const sequenceSteps = 1_000_000

// patternOp is what one action of a pattern asks of an event.
type patternOp uint8

const (
	anyRun   patternOp = iota // .*
	anyEvent                  // .
	oneEvent                  // (?N)
	timeLessOrEqual
	timeLess
	timeGreaterOrEqual
	timeGreater
	timeEqual
)

// action is one element of a pattern; arg is the condition's bit, or the seconds.
type action struct {
	op  patternOp
	arg uint64
}

// timeOps are the comparisons of times, the longer ones first.
var timeOps = []struct {
	text string
	op   patternOp
}{{"<=", timeLessOrEqual}, {"<", timeLess}, {">=", timeGreaterOrEqual}, {">", timeGreater}, {"==", timeEqual}, {"=", timeEqual}}

func badPattern(s string) error {
	return sqlerr.New(sqlerr.BadArguments, "Malformed pattern at %q", s)
}

// parseSequence reads a pattern over so many conditions.
func parseSequence(pattern string, conditions int) ([]action, error) {
	out := []action{{op: anyRun}}
	for s := pattern; s != ""; {
		switch {
		case strings.HasPrefix(s, "(?t"):
			body, rest, ok := strings.Cut(s[3:], ")")
			a, err := timeCondition(body)
			if !ok || err != nil {
				return nil, badPattern(s)
			}
			if op := out[len(out)-1].op; op != oneEvent && op != anyEvent && op != anyRun {
				return nil, sqlerr.New(sqlerr.BadArguments, "Temporal condition should be preceded by an event condition")
			}
			out, s = append(out, a), rest
		case strings.HasPrefix(s, "(?"):
			body, rest, ok := strings.Cut(s[2:], ")")
			n, err := strconv.ParseUint(body, 10, 32)
			if !ok || err != nil {
				return nil, badPattern(s)
			}
			if n == 0 || n > uint64(conditions) {
				return nil, sqlerr.New(sqlerr.BadArguments, "Event number %d is out of range", n)
			}
			out, s = append(out, action{oneEvent, n - 1}), rest
		case strings.HasPrefix(s, ".*"):
			out, s = append(out, action{op: anyRun}), s[2:]
		case s[0] == '.':
			out, s = append(out, action{op: anyEvent}), s[1:]
		default:
			return nil, badPattern(s)
		}
	}
	return out, nil
}

func timeCondition(s string) (action, error) {
	for _, o := range timeOps {
		if rest, ok := strings.CutPrefix(s, o.text); ok {
			n, err := strconv.ParseUint(rest, 10, 64)
			return action{o.op, n}, err
		}
	}
	return action{}, badPattern(s)
}

// seenEvent is the conditions met at a time, one bit each.
type seenEvent struct {
	at  uint64
	met uint32
}

type seenEvents []seenEvent

func resolveSequence(name string, count bool) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
		if len(params) != 1 {
			return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s requires exactly one parameter.", name)
		}
		t := args[0]
		if !(t.IsUnsigned() && t.Width() <= 8) && t.Kind != types.Date && !t.IsDateTime() {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of first argument of aggregate function %s, must be DateTime", t, name)
		}
		if err := checkConditions(name, args[1:]); err != nil {
			return nil, err
		}
		text, ok := stringConst(params[0])
		if !ok {
			return nil, sqlerr.New(sqlerr.BadArguments, "The pattern of aggregate function %s must be a string", name)
		}
		pattern, err := parseSequence(text, len(args)-1)
		if err != nil {
			return nil, err
		}
		return foldSequence(pattern, count), nil
	}
}

func foldSequence(pattern []action, count bool) Aggregate {
	f := &fold[seenEvents]{
		result: types.TUInt8,
		add: func(s *foldStates[seenEvents], groups []uint32, args []column.Vector, _ int) error {
			for i, at := range toBits(args[0]) {
				met := uint32(0)
				for bit, a := range args[1:] {
					met |= uint32(data[uint8](a)[i]&1) << bit
				}
				if met == 0 {
					continue
				}
				e := &s.s[groups[i]]
				before := cap(*e)
				*e = append(*e, seenEvent{at, met})
				s.extra += 16 * int64(cap(*e)-before)
			}
			return nil
		},
		merge: func(s *foldStates[seenEvents], a, b *seenEvents) {
			before := cap(*a)
			*a = append(*a, *b...)
			s.extra += 16 * int64(cap(*a)-before)
		},
		save: func(dst []byte, s *seenEvents) []byte {
			for _, e := range *s {
				dst = appendU64(appendU64(dst, e.at), uint64(e.met))
			}
			return dst
		},
		load: func(s *seenEvents, r *reader) error {
			for len(r.b) > 0 {
				*s = append(*s, seenEvent{r.u64(), uint32(r.u64())})
			}
			return nil
		},
		finish: func(out column.Builder, s *seenEvents) error {
			hit, err := matchSequence(pattern, *s, false)
			if err == nil {
				push(out, uint8(hit))
			}
			return err
		},
	}
	if count {
		f.result = types.TUInt64
		f.finish = func(out column.Builder, s *seenEvents) error {
			hits, err := matchSequence(pattern, *s, true)
			if err == nil {
				push(out, hits)
			}
			return err
		}
	}
	return f
}

// matchSequence counts the matches, one after the other; at most one unless all are asked for.
func matchSequence(pattern []action, list []seenEvent, all bool) (uint64, error) {
	var needed, met uint32
	for _, a := range pattern {
		if a.op == oneEvent {
			needed |= 1 << a.arg
		}
	}
	for _, e := range list {
		met |= e.met
	}
	if bits.OnesCount32(needed&^met) > 0 {
		return 0, nil
	}
	slices.SortStableFunc(list, func(a, b seenEvent) int { return cmp.Compare(a.at, b.at) })
	n, at := uint64(0), 0
	for at < len(list) {
		next, ok, err := matchOnce(pattern, list, at)
		if err != nil || !ok {
			return n, err
		}
		n++
		if !all {
			break
		}
		at = next
	}
	return n, nil
}

// attempt is a place to go back to: the action and the event that it took last, and the event that times are measured from.
type attempt struct{ action, event, base int }

// matchOnce matches a pattern from an event on and returns the event behind the match. Runs are as short as they can be.
func matchOnce(pattern []action, list []seenEvent, from int) (next int, ok bool, err error) {
	var tried []attempt
	k, i, base := 0, from, from
	back := func() bool {
		if len(tried) == 0 {
			return false
		}
		last := tried[len(tried)-1]
		tried = tried[:len(tried)-1]
		k, i, base = last.action, last.event+1, last.base
		return true
	}
	for step := 0; k < len(pattern) && i < len(list); step++ {
		if step > sequenceSteps {
			return 0, false, sqlerr.New(sqlerr.TooSlow, "Pattern application proves too difficult, exceeding max iterations (%d)", sequenceSteps)
		}
		switch a := pattern[k]; {
		case a.op == anyRun:
			tried = append(tried, attempt{k, i, base})
			base = i
			k++
		case a.op == anyEvent, a.op == oneEvent && list[i].met>>a.arg&1 != 0:
			base = i
			k, i = k+1, i+1
		case a.op == oneEvent:
			if !back() {
				return i, false, nil
			}
		case a.holds(list[base].at, list[i].at):
			tried = append(tried, attempt{k, i, base})
			base = i
			k++
		case a.op == timeLess || a.op == timeLessOrEqual:
			if !back() {
				return i, false, nil
			}
		default:
			if i++; i == len(list) && !back() {
				return i, false, nil
			}
		}
	}
	for k < len(pattern) && pattern[k].op == anyRun {
		k++
	}
	return i, k == len(pattern), nil
}

// holds compares the time since the event before.
func (a action) holds(base, at uint64) bool {
	switch limit := base + a.arg; a.op {
	case timeLessOrEqual:
		return at <= limit
	case timeLess:
		return at < limit
	case timeGreaterOrEqual:
		return at >= limit
	case timeGreater:
		return at > limit
	default:
		return at == limit
	}
}
