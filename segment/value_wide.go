package segment

import (
	"fmt"
	"math/big"

	"github.com/olapd/olapd/internal/types"
)

// parseWide reads the decimal digits of an integer of 128 or 256 bits.
func parseWide(p types.Phys, s string) (v any, err error) {
	x, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return nil, fmt.Errorf("segment: %q is not an integer", s)
	}
	switch p {
	case types.PInt128:
		v, ok = types.I128FromBig(x)
	case types.PUInt128:
		v, ok = types.U128FromBig(x)
	case types.PInt256:
		v, ok = types.I256FromBig(x)
	default:
		v, ok = types.U256FromBig(x)
	}
	if !ok {
		return nil, fmt.Errorf("segment: %s does not fit its width", s)
	}
	return v, nil
}
