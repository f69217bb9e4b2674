package raftlog

import (
	"fmt"
	"sync"

	"github.com/olapd/olapd/internal/invariants"
	"github.com/olapd/olapd/internal/vfs"
)

// writer is the state of the one goroutine that writes, and of Open before it.
type writer struct {
	batch       uint64   // number of the next batch
	broken      bool     // a write to the newest file failed: the next batch goes to a new one
	reserve     vfs.File // next.tmp, preallocated, or nil
	reserveSize int64
	rotated     bool // since the last upkeep
	deleted     bool
	buf         []byte
	changes     []change
	cache       cache
}

// request is what one caller wants written, in one batch with others.
type request struct {
	g       *group
	buf     []byte // records, without batch numbers and checksums
	changes []change
	urgent  bool // deletes and sets may use the headroom
	done    chan error
}

// newPool returns a Log's pool of requests: its own, for a simulation's channels must not meet another's.
func newPool() *sync.Pool {
	return &sync.Pool{New: func() any { return &request{done: make(chan error, 1)} }}
}

// pooledBytes bounds the buffer that a request keeps for its next use.
const pooledBytes = 1 << 20

func (l *Log) newRequest(g *group, urgent bool) *request {
	r := l.pool.Get().(*request)
	r.g, r.urgent = g, urgent
	return r
}

func (l *Log) recycle(r *request) {
	clear(r.changes)
	r.changes, r.g = r.changes[:0], nil
	if r.buf = r.buf[:0]; cap(r.buf) <= pooledBytes {
		l.pool.Put(r)
	}
}

// add notes the change of the record that was appended to buf at start.
func (r *request) add(start int, c change) {
	c.g, c.offset, c.size = r.g, start, len(r.buf)-start
	r.changes = append(r.changes, c)
}

// submit hands a request to the writer and waits until it is durable or has failed.
func (l *Log) submit(r *request) error {
	if err := l.Err(); err != nil {
		return err
	}
	select {
	case l.requests <- r:
	case <-l.closing:
		return ErrClosed
	}
	select {
	case err := <-r.done:
		l.recycle(r)
		return err
	case <-l.stopped:
	}
	select {
	case err := <-r.done: // answered before the writer stopped
		return err
	default:
		return ErrClosed
	}
}

func (l *Log) run() {
	defer close(l.stopped)
	var batch []*request
	for {
		select {
		case r := <-l.requests:
			batch = l.collect(append(batch[:0], r))
			l.commit(batch)
			l.upkeep()
			clear(batch)
		case <-l.closing:
			return
		}
	}
}

// collect adds the requests that wait already.
func (l *Log) collect(batch []*request) []*request {
	limit := min(maxBatchBytes, int(l.opts.SegmentBytes)/4)
	for bytes := len(batch[0].buf); bytes < limit; {
		select {
		case r := <-l.requests:
			batch = append(batch, r)
			bytes += len(r.buf)
		default:
			return batch
		}
	}
	return batch
}

func failAll(batch []*request, err error) {
	for _, r := range batch {
		r.done <- err
	}
}

// commit answers every request of the batch.
func (l *Log) commit(batch []*request) {
	if err := l.Err(); err != nil {
		failAll(batch, err)
		return
	}
	batch, need, urgent := admit(batch)
	if len(batch) == 0 {
		return
	}
	if int64(need) > l.room(urgent) {
		if err := l.rotate(need); err != nil {
			l.commitUrgent(batch, err)
			return
		}
	}
	l.commitAdmitted(batch)
}

// admit refuses the requests that do not fit what their group holds then, and returns the others.
func admit(batch []*request) (admitted []*request, need int, urgent bool) {
	urgent = true
	for _, r := range batch {
		r.g.resetPlan()
	}
	admitted = batch[:0]
	for _, r := range batch {
		if err := r.plan(); err != nil {
			r.done <- err
			continue
		}
		admitted = append(admitted, r)
		need += len(r.buf)
		urgent = urgent && r.urgent
	}
	return admitted, need, urgent
}

func (r *request) plan() error {
	b := bounds{r.g.planFirst, r.g.planLast}
	var err error
	for i := range r.changes {
		if b, err = r.changes[i].plan(b); err != nil {
			return err
		}
	}
	r.g.planFirst, r.g.planLast = b.first, b.last
	return nil
}

// commitUrgent fails what needs a new file, and writes what the headroom of this one is for.
func (l *Log) commitUrgent(batch []*request, cause error) {
	var urgent []*request
	for _, r := range batch {
		if r.urgent && l.Err() == nil {
			urgent = append(urgent, r)
		} else {
			r.done <- cause
		}
	}
	urgent, need, _ := admit(urgent)
	if int64(need) > l.room(true) {
		failAll(urgent, cause)
		return
	}
	if len(urgent) > 0 {
		l.commitAdmitted(urgent)
	}
}

// room is the space left in the newest file.
func (l *Log) room(urgent bool) int64 {
	if l.w.broken {
		return 0
	}
	s := l.newest()
	room := s.size - s.end
	if !urgent {
		room -= l.headroom()
	}
	return room
}

func (l *Log) headroom() int64 { return min(headroomBytes, l.opts.SegmentBytes/8) }

func (l *Log) newest() *segment { return l.files.order[len(l.files.order)-1] }

func (l *Log) commitAdmitted(batch []*request) {
	buf, changes := l.w.buf[:0], l.w.changes[:0]
	for _, r := range batch {
		base := len(buf)
		buf = append(buf, r.buf...)
		for _, c := range r.changes {
			c.offset += base
			changes = append(changes, c)
		}
	}
	err := l.write(buf, changes)
	failAll(batch, err)
	clear(changes)
	l.w.buf, l.w.changes = buf, changes
	if cap(buf) > 2*maxBatchBytes {
		l.w.buf = nil
	}
}

// write makes one batch durable at the end of the newest file and applies its changes. There is
// room for it.
func (l *Log) write(buf []byte, changes []change) error {
	s := l.newest()
	sealBatch(buf, l.w.batch)
	if _, err := s.file.WriteAt(buf, s.end); err != nil {
		l.w.broken = true
		return fmt.Errorf("raftlog: writing %d bytes at %d of file %d: %w", len(buf), s.end, s.number, err)
	}
	if err := s.file.Sync(); err != nil {
		return l.poisonWith(fmt.Errorf("syncing file %d: %w", s.number, err))
	}
	base := s.end
	s.end += int64(len(buf))
	l.w.batch++
	l.stats.batches.Add(1)
	l.stats.records.Add(uint64(len(changes)))
	l.stats.bytes.Add(uint64(len(buf)))
	for i := range changes {
		err := l.apply(s, base, &changes[i])
		invariants.Check(err == nil, "planned change: %v", err)
		l.w.deleted = l.w.deleted || changes[i].kind == kindDelete || changes[i].kind == kindDrop
	}
	l.w.cache.trim()
	return nil
}
