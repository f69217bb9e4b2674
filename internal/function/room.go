package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Most results are about as large as the arguments. Those of functions that multiply (repeat, range, replaceAll …) are held against the query's memory
// while they grow, and all large ones when they are complete. A result is not kept reserved: it lives as long as its block.

const (
	// maxStringResult is ClickHouse's limit of one string that a function makes (1 GiB); a vector's offsets have 32 bits.
	maxStringResult = 1 << 30
	maxVectorBytes  = 1<<32 - 1
	// smallResult is the bytes up to which results are not looked at.
	smallResult = 1 << 20
)

// room reports MemoryLimitExceeded if the query could not have n more bytes now, and why it was cancelled if it was.
func (e *Env) room(n int64) error {
	if e == nil {
		return nil
	}
	if e.Ctx != nil && e.Ctx.Err() != nil {
		return e.Ctx.Err()
	}
	if err := e.Budget.Reserve(n); err != nil {
		return err
	}
	e.Budget.Release(n)
	return nil
}

// fits is called before a result grows to n bytes. It asks for room at steps of a half more, and is cheap between them.
func (c *Call) fits(n int64) error {
	if n <= c.roomy {
		return nil
	}
	next := max(n+n/2, smallResult)
	if err := c.Env.room(next); err != nil {
		return err
	}
	c.roomy = next
	return nil
}

// checkSum is called before n bytes of many strings are appended to a result.
func (c *Call) checkSum(out *column.Str, n int64, name string) error {
	if total := int64(len(out.Data)) + n; total > maxVectorBytes {
		return tooMuchText(name)
	}
	return c.fits(int64(len(out.Data)) + n)
}

func tooMuchText(name string) error {
	return sqlerr.New(sqlerr.TooLargeStringSize, "Too large result of function %s: over %d bytes in one block", name, maxVectorBytes)
}

// checkSize is called before a string of n bytes more is appended to a result.
func (c *Call) checkSize(out *column.Str, n int64, name string) error {
	total := int64(len(out.Data)) + n
	if n > maxStringResult || total > maxVectorBytes {
		return sqlerr.New(sqlerr.TooLargeStringSize, "Too large string size in function %s: %d bytes, the maximum is %d", name, n, maxStringResult)
	}
	return c.fits(total)
}

// endBounded ends a value, unless the result has outgrown what its offsets hold or the query's memory.
func (c *Call) endBounded(out *column.Str, name string) error {
	if len(out.Data) > maxVectorBytes {
		return tooMuchText(name)
	}
	out.EndValue()
	return c.fits(int64(len(out.Data)))
}

// sized is the bytes of value i of a vector.
func sized(v column.Vector, i int) int64 {
	if w := v.Type().Width(); w > 0 {
		return int64(w)
	}
	if k, ok := v.(*column.Const); ok {
		return k.Value.Bytes()
	}
	return v.Slice(i, i+1).Bytes()
}
