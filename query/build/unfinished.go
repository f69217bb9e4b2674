package build

import (
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

func (b *builder) window(*plan.Window, int) (exec.Operator, error) {
	return nil, sqlerr.New(sqlerr.NotImplemented, "Window functions are not implemented")
}
