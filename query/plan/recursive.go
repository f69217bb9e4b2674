package plan

import "github.com/olapd/olapd/internal/column"

// Recursive is WITH RECURSIVE: the rows of Anchor, then those of Step over them, then those of Step over what that yielded, until there are none.
// It is an error if that takes more than Depth steps. Both inputs yield Fields.
type Recursive struct {
	Anchor, Step Node
	Work         *Work
	Name         string
	Depth        uint64
	Fields       column.Schema
}

// Work stands for the rows a step reads, known by identity.
type Work struct {
	_ byte // pointers to empty structs may be equal
}

// Working, in a step, yields the rows of the step before.
type Working struct {
	Work   *Work
	Name   string
	Fields column.Schema
}

// Schema implements Node.
func (n *Recursive) Schema() column.Schema { return n.Fields }
func (n *Working) Schema() column.Schema   { return n.Fields }

// Inputs implements Node.
func (n *Recursive) Inputs() []Node { return []Node{n.Anchor, n.Step} }
func (n *Working) Inputs() []Node   { return nil }
