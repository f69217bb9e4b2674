package segment

import (
	"fmt"
	"math/big"

	"github.com/olapd/olapd/internal/types"
)

// parse128 reads the decimal digits of a 128-bit integer.
func parse128(p types.Phys, s string) (any, error) {
	x, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return nil, fmt.Errorf("segment: %q is not an integer", s)
	}
	if p == types.PInt128 {
		v, fits := types.I128FromBig(x)
		if !fits {
			return nil, fmt.Errorf("segment: %s does not fit 128 bits", s)
		}
		return v, nil
	}
	v, fits := types.U128FromBig(x)
	if !fits {
		return nil, fmt.Errorf("segment: %s does not fit 128 bits", s)
	}
	return v, nil
}
