package segment

import (
	"context"
	"fmt"
	"strings"
)

// PruneStats tells what each index did, in the order they were asked.
type PruneStats struct {
	Before int         // granules asked about
	After  int         // granules left
	Steps  []PruneStep // indexes that could say something
}

// PruneStep is what one index did.
type PruneStep struct {
	Index   string // "primary", "minmax", "bitmap", or the name of a skip index
	Type    string // primary, minmax, bitmap, or the skip index's type
	Dropped int    // granules it removed
	Rows    int    // rows in those
}

// String prints the statistics on one line.
func (s PruneStats) String() string {
	parts := make([]string, len(s.Steps))
	for i, p := range s.Steps {
		parts[i] = fmt.Sprintf("%s -%d", p.Index, p.Dropped)
	}
	return fmt.Sprintf("%d of %d granules (%s)", s.After, s.Before, strings.Join(parts, ", "))
}

// Prune returns the granules of in (nil: of all) that may hold rows satisfying c: it never loses one that does.
// Cheap indexes are asked first; once nothing is left no other is read.
func (r *Reader) Prune(ctx context.Context, c Condition, in *Granules) (*Granules, PruneStats, error) {
	set := AllGranules(r.Granules())
	if in != nil {
		set = in.Clone()
	}
	st := PruneStats{Before: set.Count()}
	p := r.bind(c)
	if len(p.terms) > 0 {
		if err := r.prune(ctx, p, set, &st); err != nil {
			return nil, st, err
		}
	}
	st.After = set.Count()
	return set, st, nil
}

func (r *Reader) prune(ctx context.Context, p *plan, set *Granules, st *PruneStats) error {
	step := func(index, typ string, run func() (int, bool, error)) error {
		if set.Count() == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rows := r.rowsIn(set)
		dropped, used, err := run()
		if used {
			st.Steps = append(st.Steps, PruneStep{Index: index, Type: typ, Dropped: dropped, Rows: rows - r.rowsIn(set)})
		}
		return err
	}
	if err := step("primary", "primary", func() (int, bool, error) { return r.prunePrimary(p, set) }); err != nil {
		return err
	}
	if err := step(IndexMinMax, IndexMinMax, func() (int, bool, error) {
		n, err := r.pruneMinMax(p, set)
		return n, true, err
	}); err != nil {
		return err
	}
	for i := range r.ft.Indexes {
		e := &r.ft.Indexes[i]
		if err := step(e.Name, e.Type, func() (int, bool, error) { return r.pruneSkip(p, e, set) }); err != nil {
			return err
		}
	}
	return step("bitmap", "bitmap", func() (int, bool, error) { return r.pruneBitmaps(ctx, p, set) })
}
