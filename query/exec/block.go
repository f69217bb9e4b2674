package exec

import "github.com/olapd/olapd/internal/column"

// Blocks inside a pipeline may have nil columns where no later operator reads them.

func gatherBlock(b *column.Block, sel []uint32) *column.Block {
	return &column.Block{Cols: gatherAll(b.Cols, sel), N: len(sel)}
}

// gatherAll gathers the values at rows; nil vectors stay nil.
func gatherAll(vals []column.Vector, rows []uint32) []column.Vector {
	out := make([]column.Vector, len(vals))
	for i, v := range vals {
		if v != nil {
			out[i] = column.Gather(v, rows)
		}
	}
	return out
}

func sliceBlock(b *column.Block, from, to int) *column.Block {
	out := &column.Block{Cols: make([]column.Vector, len(b.Cols)), N: to - from}
	for i, c := range b.Cols {
		if c != nil {
			out.Cols[i] = c.Slice(from, to)
		}
	}
	return out
}

// concatBlocks joins blocks of the same columns; at least one is given.
func concatBlocks(blocks []*column.Block) *column.Block {
	if len(blocks) == 1 {
		return blocks[0]
	}
	out := &column.Block{Cols: make([]column.Vector, len(blocks[0].Cols))}
	for _, b := range blocks {
		out.N += b.N
	}
	for i := range out.Cols {
		vs := make([]column.Vector, 0, len(blocks))
		for _, b := range blocks {
			if b.Cols[i] != nil {
				vs = append(vs, b.Cols[i])
			}
		}
		if len(vs) == len(blocks) {
			out.Cols[i] = column.Concat(vs...)
		}
	}
	return out
}

// vectorBytes is the memory of a vector without the dictionary, which is shared.
func vectorBytes(v column.Vector) int64 {
	switch v := v.(type) {
	case nil:
		return 0
	case *column.Dict:
		return 4 * int64(len(v.Codes))
	case *column.Nullable:
		return int64(len(v.Nulls)) + vectorBytes(v.Inner)
	}
	return v.Bytes()
}

func blockBytes(b *column.Block) int64 {
	n := int64(0)
	for _, c := range b.Cols {
		n += vectorBytes(c)
	}
	return n
}

func pick(b *column.Block, cols []int) []column.Vector {
	out := make([]column.Vector, len(cols))
	for i, c := range cols {
		out[i] = b.Cols[c]
	}
	return out
}

// blocksOf cuts a block into pieces of at most size rows, handed out one at a time.
type blocksOf struct {
	b    *column.Block
	at   int
	size int
}

// more reports whether next has a block.
func (c *blocksOf) more() bool { return c.b != nil && c.at < c.b.N }

func (c *blocksOf) next() *column.Block {
	if !c.more() {
		return nil
	}
	from := c.at
	c.at = min(from+c.size, c.b.N)
	if from == 0 && c.at == c.b.N {
		return c.b
	}
	return sliceBlock(c.b, from, c.at)
}
