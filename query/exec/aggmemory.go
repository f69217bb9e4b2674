package exec

import (
	"sync"

	"github.com/olapd/olapd/query/exec/hashtable"
)

// tableMemory is what the tables of all partitions of a set take. When the partitions are written, they go on in another memory one by
// one, and the one before ends with the last. The zero value has none.
type tableMemory struct {
	mu     sync.Mutex
	now    *hashtable.Memory
	before *hashtable.Memory // nil, but while partitions are written
	held   *reservation
}

// begin returns the memory in which tables begin from now on. It is freed at the end of the run at the latest.
func (m *tableMemory) begin(r *run) *hashtable.Memory {
	next := hashtable.NewMemory()
	r.atEnd(func() error { next.Free(); return nil })
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held == nil {
		m.held = r.reservation()
	}
	m.before, m.now = m.now, next
	return next
}

// end frees the memory of before: no table is in it any more.
func (m *tableMemory) end() error {
	m.mu.Lock()
	m.before.Free()
	m.before = nil
	m.mu.Unlock()
	return m.account()
}

// bytes is what the tables hold.
func (m *tableMemory) bytes() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sumLocked()
}

func (m *tableMemory) sumLocked() int64 {
	n := int64(0)
	for _, one := range []*hashtable.Memory{m.now, m.before} {
		if one != nil {
			n += one.Held()
		}
	}
	return n
}

// account reserves what the tables hold.
func (m *tableMemory) account() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held == nil {
		return nil
	}
	return m.held.set(m.sumLocked())
}
