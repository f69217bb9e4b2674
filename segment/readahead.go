package segment

import "github.com/olapd/olapd/internal/vfs"

// aheadPages is how many pages of a column are fetched from the file before they are asked for. The pages of a column lie apart, and the system sees
// no order in their reads: two workers that read pages of 100 KiB, each 600 KiB behind the last, took 46 ms without and 31 ms with it.
const aheadPages = 4

// readAhead is called before page p of a column is read from the file. Of a column whose pages are read one after the other, about, it has the file
// fetch those behind p.
func (r *Reader) readAhead(c *columnState, ix *columnIndex, p int) {
	f, ok := r.f.(vfs.Prefetcher)
	if !ok {
		return
	}
	from, to := c.aheadOf(p, len(ix.pages))
	for ; from < to; from++ {
		at := ix.pages[from]
		if at.check(r.path, r.size) == nil { // what is broken shows when it is read
			f.Prefetch(at.off, at.stored())
		}
	}
}

// aheadOf notes that page p of so many is read, and returns the pages [from, to) to prefetch.
func (c *columnState) aheadOf(p, pages int) (from, to int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.mu.read - 1
	c.mu.read = p + 1
	if before < 0 || p == before || max(p-before, before-p) > aheadPages {
		c.mu.ahead = 0 // of another run, or the first page of one
		return 0, 0
	}
	from, to = max(c.mu.ahead, p+1), min(p+1+aheadPages, pages)
	c.mu.ahead = max(c.mu.ahead, to)
	return from, to
}
