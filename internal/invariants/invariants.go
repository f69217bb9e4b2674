// Package invariants holds assertions that are on only in builds with the tag "invariants".
// They are for bugs of olapd itself; errors of the world (files, networks, users) are returned.
package invariants

import "fmt"

// Check panics in an invariants build when cond is false. It is empty, and inlined away,
// otherwise; where the condition itself is costly, guard the call with Enabled.
func Check(cond bool, format string, args ...any) {
	if Enabled && !cond {
		panic("invariant violated: " + fmt.Sprintf(format, args...))
	}
}
