package vfs

import (
	"io"
	"io/fs"
	"slices"
	"syscall"
	"time"
)

// memFile is a handle on a node of a Mem. pos belongs to the handle's one reader and writer.
type memFile struct {
	m        *Mem
	n        *node
	name     string
	pos      int64
	readOnly bool
	closed   bool
}

func (f *memFile) usableLocked(op string) error {
	if f.closed {
		return pathError(op, f.name, fs.ErrClosed)
	}
	if err := f.m.deadLocked(); err != nil {
		return pathError(op, f.name, err)
	}
	return nil
}

func (f *memFile) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.pos)
	f.pos += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.usableLocked("read"); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, pathError("read", f.name, fs.ErrInvalid)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if off >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Write(p []byte) (int, error) {
	n, err := f.WriteAt(p, f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	n := len(p)
	err := f.change("write", func() error {
		if off < 0 {
			return pathError("write", f.name, fs.ErrInvalid)
		}
		room := f.m.mu.limit - f.m.mu.used
		grow := off + int64(len(p)) - int64(len(f.n.data))
		var full error
		if grow > max(room, 0) {
			n = max(0, len(p)-int(grow-max(room, 0)))
			full = pathError("write", f.name, syscall.ENOSPC)
		}
		if n > 0 {
			f.m.writeLocked(f.n, off, p[:n])
		}
		return full
	})
	if err != nil && !IsNoSpace(err) {
		n = 0
	}
	return n, err
}

// change runs one counted operation on an open, writable file.
func (f *memFile) change(op string, do func() error) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.usableLocked(op); err != nil {
		return err
	}
	if f.readOnly {
		return pathError(op, f.name, syscall.EBADF)
	}
	begun, dead := f.m.stepLocked()
	if dead != nil {
		return pathError(op, f.name, dead)
	}
	if err := do(); err != nil {
		return err
	}
	if begun != nil {
		return pathError(op, f.name, begun)
	}
	return nil
}

func (m *Mem) writeLocked(n *node, off int64, p []byte) {
	op := dataOp{off: off, data: slices.Clone(p)}
	before := len(n.data)
	n.data = op.apply(n.data)
	m.mu.used += int64(len(n.data) - before)
	n.pending = append(n.pending, op)
	n.mod = time.Now()
}

func (m *Mem) truncateLocked(n *node, size int64) {
	op := dataOp{size: size}
	before := len(n.data)
	n.data = op.apply(n.data)
	m.mu.used += int64(len(n.data) - before)
	n.pending = append(n.pending, op)
	n.mod = time.Now()
}

// apply returns content after the operation; content's array may be reused.
func (op dataOp) apply(content []byte) []byte {
	if op.data == nil {
		return resized(content, op.size)
	}
	if end := op.off + int64(len(op.data)); end > int64(len(content)) {
		content = resized(content, end)
	}
	copy(content[op.off:], op.data)
	return content
}

// resized cuts content or extends it with zeros.
func resized(content []byte, size int64) []byte {
	have := int64(len(content))
	if size <= have {
		return content[:size]
	}
	content = slices.Grow(content, int(size-have))[:size]
	clear(content[have:])
	return content
}

func (f *memFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.closed {
		return pathError("close", f.name, fs.ErrClosed)
	}
	f.closed = true
	return nil
}

func (f *memFile) Sync() error {
	time.Sleep(time.Duration(f.m.delay.Load()))
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.usableLocked("sync"); err != nil {
		return err
	}
	begun, dead := f.m.stepLocked()
	if begun != nil || dead != nil {
		return pathError("sync", f.name, ErrCrashed)
	}
	for _, op := range f.n.pending {
		f.n.durable = op.apply(f.n.durable)
	}
	f.n.pending = nil
	return nil
}

func (f *memFile) Truncate(size int64) error {
	return f.change("truncate", func() error {
		if size < 0 {
			return pathError("truncate", f.name, fs.ErrInvalid)
		}
		f.m.truncateLocked(f.n, size)
		return nil
	})
}

func (f *memFile) Size() (int64, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.usableLocked("stat"); err != nil {
		return 0, err
	}
	return int64(len(f.n.data)), nil
}

func (f *memFile) Preallocate(offset, length int64) error {
	return f.change("preallocate", func() error {
		grow := offset + length - int64(len(f.n.data))
		if offset < 0 || length < 0 {
			return pathError("preallocate", f.name, fs.ErrInvalid)
		}
		if grow <= 0 {
			return nil
		}
		if grow > f.m.mu.limit-f.m.mu.used {
			return pathError("preallocate", f.name, syscall.ENOSPC)
		}
		f.m.truncateLocked(f.n, offset+length)
		return nil
	})
}
