package dictionary

import (
	"time"

	"github.com/olapd/olapd/internal/catalog"
)

// Info is what system.dictionaries tells of a dictionary that was asked for.
type Info struct {
	Loaded, Loading, Failed bool // it has rows; they are being read; that has failed the last time
	Bytes                   int64
	Rows                    int
	Asked, Found            uint64 // keys
	Failures                uint64
	Error                   error
	Started, Updated        time.Time
	Took                    time.Duration
}

// Infos describes the dictionaries that were asked for.
func (r *Registry) Infos() map[catalog.TableID]Info {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make(map[catalog.TableID]Info, len(r.mu.entries))
	for id, e := range r.mu.entries {
		i := Info{Loaded: e.data != nil, Loading: e.loading != nil, Failed: e.err != nil, Asked: e.asked.Load(), Found: e.found.Load(), Failures: e.failures,
			Error: e.err, Started: e.started, Updated: e.loaded, Took: e.took}
		if e.data != nil {
			i.Bytes, i.Rows = e.data.Bytes(), e.data.Rows()
		}
		out[id] = i
	}
	return out
}
