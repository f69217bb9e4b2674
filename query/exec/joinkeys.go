package exec

import (
	"context"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/grouping"
)

// joinKeys numbers the keys of the side of a join that is in memory. Strings and other values that are interned anyway have the numbers they
// are interned by, which several workers give at once and which have gaps; other keys those of a table.
type joinKeys struct {
	interned *grouping.Encoder // or nil
	table    *grouping.Table   // or nil: there are no keys, all rows are of one group
}

func newJoinKeys(ts []*types.Type, collide bool) *joinKeys {
	if len(ts) == 0 {
		return &joinKeys{}
	}
	if enc := grouping.NewEncoder(ts, collide); enc.Numbered() {
		return &joinKeys{interned: enc}
	}
	return &joinKeys{table: grouping.New(ts, collide)}
}

// limit is where the numbers end.
func (k *joinKeys) limit() int {
	switch {
	case k.interned != nil:
		return k.interned.Limit()
	case k.table != nil:
		return k.table.Len()
	}
	return 1
}

const (
	// insertRows is how many keys are numbered at once: few enough that what they take is reserved before they do.
	insertRows = 65536
	// mostlyNew is the part of the first keys that must be new for a table to be made large enough for as many of all of them: growing on the
	// way would move every key twice.
	mostlyNew = 0.75
)

// number writes the numbers of the keys to ids within the budget; held is for what numbers them.
func (k *joinKeys) number(ctx context.Context, r *run, keys []column.Vector, ids []uint32, held *reservation) error {
	switch {
	case k.interned != nil:
		return k.intern(ctx, r, keys[0], ids, held)
	case k.table == nil:
		return nil
	}
	for from := 0; from < len(ids); from += insertRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if seen := k.table.Len(); from == insertRows && float64(seen) > mostlyNew*insertRows {
			if held.set(k.table.Bytes()+k.table.Growth(len(ids)-seen)) == nil { // else it grows as far as it gets
				k.table.Reserve(len(ids))
			}
		}
		to := min(from+insertRows, len(ids))
		if err := held.set(k.table.Bytes() + k.table.Growth(to-from)); err != nil {
			return err
		}
		if err := k.table.Insert(sliceAll(keys, from, to), ids[from:to]); err != nil {
			return err
		}
	}
	return held.set(k.table.Bytes())
}

// intern is number for keys that are interned, by all workers.
func (k *joinKeys) intern(ctx context.Context, r *run, key column.Vector, ids []uint32, held *reservation) error {
	var mu sync.Mutex
	reserve := func() error {
		mu.Lock()
		defer mu.Unlock()
		return held.set(k.interned.Bytes())
	}
	err := r.parallel(ctx, (len(ids)+insertRows-1)/insertRows, func(ctx context.Context, i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		from, to := i*insertRows, min((i+1)*insertRows, len(ids))
		if err := k.interned.Fork().Number(key.Slice(from, to), ids[from:to]); err != nil {
			return err
		}
		return reserve()
	})
	if err != nil {
		return err
	}
	return reserve()
}

// keyFinder looks keys up. Used by one goroutine.
type keyFinder struct {
	interned *grouping.Encoder
	table    *grouping.Finder
}

// finder returns a new keyFinder of keys that are all numbered.
func (k *joinKeys) finder() *keyFinder {
	switch {
	case k.interned != nil:
		return &keyFinder{interned: k.interned.Reader()}
	case k.table != nil:
		return &keyFinder{table: k.table.Finder()}
	}
	return &keyFinder{}
}

// find writes the number of each row's key to ids, grouping.Missing for those that are not there.
func (f *keyFinder) find(keys []column.Vector, ids []uint32) error {
	switch {
	case f.interned != nil:
		return f.interned.Number(keys[0], ids)
	case f.table != nil:
		return f.table.Find(keys, ids)
	}
	clear(ids)
	return nil
}
