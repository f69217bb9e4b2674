// Package linear decides whether what clients saw of inserts and strong reads is linearizable: as if each had happened at one
// moment between its call and its return, one after the other.
//
// What is read and written is a set per key: an insert adds a value under a token, a read returns all values of a key. Inserts whose
// outcome nobody knows may have happened at any moment since their call, or never.
package linear

import (
	"fmt"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// MaxValue is the largest value of a key: a set is a word of bits.
const MaxValue = 63

const never = int64(1) << 62 // the return of what has not returned

// input is what a client asked for: to add a value, or to read.
type input struct {
	key   uint64
	add   uint64 // a bit; 0: a read
	value uint8
}

// read is what a read returned.
type read struct {
	set     uint64
	doubled bool // a value was there more than once
}

// History gathers what clients do. Its methods may be called from any goroutine.
type History struct {
	now func() time.Time
	mu  struct {
		sync.Mutex
		ops     []porcupine.Operation
		unknown int
		reads   int
	}
}

// New returns an empty history; now is the clock that all clients share.
func New(now func() time.Time) *History { return &History{now: now} }

// Insert notes that a client begins to add a value to a key. Call done when it is acknowledged; without that its outcome is unknown.
// REQUIRES: no other insert adds the value to the key, but those with the same token.
func (h *History) Insert(client int, key uint64, value uint8) (done func()) {
	at := h.begin(porcupine.Operation{ClientId: client, Input: input{key, 1 << value, value}, Return: never})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mu.unknown++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.mu.ops[at].Return = h.now().UnixNano()
		h.mu.unknown--
	}
}

func (h *History) begin(op porcupine.Operation) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	op.Call = h.now().UnixNano()
	h.mu.ops = append(h.mu.ops, op)
	return len(h.mu.ops) - 1
}

// Read notes that a client begins to read a key. Call done with the values that it got; a read that failed is not done, and says nothing.
func (h *History) Read(client int, key uint64) (done func(values []uint8)) {
	call := h.now().UnixNano()
	return func(values []uint8) {
		var r read
		for _, v := range values {
			r.doubled = r.doubled || r.set>>v&1 == 1 || v > MaxValue
			r.set |= 1 << v
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.mu.reads++
		h.mu.ops = append(h.mu.ops, porcupine.Operation{ClientId: client, Input: input{key: key}, Output: r, Call: call, Return: h.now().UnixNano()})
	}
}

// Verdict is what Check finds.
type Verdict struct {
	Inserts, Unknown, Reads, Keys int
	Bad                           []string // histories of the keys that are not linearizable
	Undecided                     int      // keys whose histories took too long to decide
}

func (v Verdict) String() string {
	return fmt.Sprintf("%d inserts (%d of unknown outcome) and %d strong reads of %d keys: %d not linearizable, %d undecided", v.Inserts, v.Unknown, v.Reads, v.Keys, len(v.Bad), v.Undecided)
}

// Check decides, for every key in at most the given time.
func (h *History) Check(most time.Duration) Verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	byKey := map[uint64][]porcupine.Operation{}
	for _, op := range h.mu.ops {
		k := op.Input.(input).key
		byKey[k] = append(byKey[k], op)
	}
	v := Verdict{Inserts: len(h.mu.ops) - h.mu.reads, Unknown: h.mu.unknown, Reads: h.mu.reads, Keys: len(byKey)}
	for k, ops := range byKey {
		switch porcupine.CheckOperationsTimeout(model, ops, most) {
		case porcupine.Illegal:
			v.Bad = append(v.Bad, describe(k, ops))
		case porcupine.Unknown:
			v.Undecided++
		}
	}
	return v
}

var model = porcupine.Model{
	Init: func() any { return uint64(0) },
	Step: func(state, in, out any) (bool, any) {
		set, i := state.(uint64), in.(input)
		if i.add != 0 {
			return true, set | i.add
		}
		r := out.(read)
		return r.set == set && !r.doubled, set
	},
}

// describe prints a key's history, one operation a line, with times since the first.
func describe(key uint64, ops []porcupine.Operation) string {
	out := fmt.Sprintf("key %d:\n", key)
	for _, op := range ops {
		at := time.Duration(op.Call - ops[0].Call)
		until := time.Duration(op.Return - ops[0].Call).String()
		if op.Return == never {
			until = "?"
		}
		if i := op.Input.(input); i.add != 0 {
			out += fmt.Sprintf("  client %d adds %d: %s to %s\n", op.ClientId, i.value, at, until)
		} else {
			r := op.Output.(read)
			out += fmt.Sprintf("  client %d reads %b (doubled: %t): %s to %s\n", op.ClientId, r.set, r.doubled, at, until)
		}
	}
	return out
}
