package grouping

// Growth returns how many bytes numbering n new keys takes at most, beyond Bytes: to be reserved before.
func (x *Index) Growth(n int) int64 {
	switch {
	case x.byKey: // bounded by the narrow keys, or by the interner's numbers
		return 0
	case x.stride == 1:
		return x.one.Growth(n)
	case x.stride == 2:
		return x.two.Growth(n)
	case x.stride <= 4:
		return x.four.Growth(n)
	}
	return x.wide.Growth(n)
}

// Growth is Index.Growth.
func (t *Table) Growth(n int) int64 { return t.index.Growth(n) }
