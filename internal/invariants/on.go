//go:build invariants

package invariants

// Enabled tells whether assertions are compiled in.
const Enabled = true
