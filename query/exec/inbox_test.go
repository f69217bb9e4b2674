package exec

import (
	"context"
	"errors"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query/exec/spill"
)

// TestInboxSpills: rows that nobody reads yet go to a file once they are many, and all come out once; then nothing is held.
func TestInboxSpills(t *testing.T) {
	store, err := spill.Open(vfs.NewMem(), "/tmp")
	if err != nil {
		t.Fatal(err)
	}
	area := store.Area(0)
	budget := mem.NewBudget("test", 4*inboxBytes)
	r := newRun(t.Context(), Options{Budget: budget, Temp: area}.withDefaults())
	box := newInbox(r, 2)
	const blocks, rows = 40, 1 << 18 // 2 MiB each
	sum := uint64(0)
	for i := range uint64(blocks) {
		data := make([]uint64, rows)
		data[0] = i
		sum += i
		if err := box.put(column.NewBlock(column.NewNum(types.TUInt64, data))); err != nil {
			t.Fatal(err)
		}
		if i == blocks/2 { // some are read in between, from memory
			b, err := box.next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			sum -= b.Cols[0].(*column.Num[uint64]).Data[0]
		}
	}
	if budget.Used() > inboxBytes || store.Used() == 0 {
		t.Errorf("%d bytes in memory, %d in files", budget.Used(), store.Used())
	}
	box.end(nil)
	box.end(nil)
	n := 0
	for {
		b, err := box.next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		n += b.N
		for _, x := range b.Cols[0].(*column.Num[uint64]).Data {
			sum -= x
		}
	}
	if n != (blocks-1)*rows || sum != 0 || budget.Used() != 0 || store.Used() != 0 {
		t.Errorf("%d rows, %d lost, %d bytes held, %d in files", n, sum, budget.Used(), store.Used())
	}
	if err := errors.Join(r.close(), area.Close()); err != nil {
		t.Error(err)
	}
}

// TestInboxEnds: an error of a side comes out, a reader that waits sees its context end, and what comes when nobody reads is dropped.
func TestInboxEnds(t *testing.T) {
	r := newRun(t.Context(), Options{Budget: mem.NewBudget("test", 1<<20)}.withDefaults())
	box := newInbox(r, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := box.next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	broken := errors.New("broken")
	box.end(nil)
	box.end(broken)
	if _, err := box.next(t.Context()); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	if err := box.put(column.NewBlock(column.NewStrings("x"))); err != nil || r.opts.Budget.Used() != 0 {
		t.Errorf("%v, %d bytes", err, r.opts.Budget.Used())
	}
}
