package exec

// Expected guesses how many rows of one segment a scan yields, from a block of n of them: that is a morsel's, of which as many pass elsewhere.
// It is 0 where reading may end early. After the scan has begun.
func (s *Scan) Expected(n int) int64 {
	if s.Limit > 0 || s.Top != nil {
		return 0
	}
	share := min(float64(n)/DefaultBlockSize, 1)
	return int64(share * float64(s.planned.Rows) / float64(max(s.planned.Segments, 1)))
}
