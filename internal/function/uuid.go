package function

import (
	"encoding/binary"
	"math/rand/v2"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	sixteen := types.NewFixedString(16)
	isText36 := func(t *types.Type) bool { return t.Kind == types.String || t.Kind == types.FixedString && t.N == 36 }
	is16 := func(t *types.Type) bool { return t.Kind == types.FixedString && t.N == 16 }
	isVariant := func(t *types.Type) bool { return t.Kind == types.UInt8 || t.Kind == types.Int8 }
	register(
		&Scalar{Name: "UUIDStringToNum", MinArgs: 1, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("UUIDStringToNum", sixteen, isText36, isVariant), Eval: evalUUIDToBytes(func(v column.Vector, rows int) func(int) types.U128 {
			s := stringsOf(v)
			return func(i int) types.U128 {
				u, n, err := valuetext.ScanUUID(s.row(i))
				if err != nil || n != len(s.row(i)) {
					return types.U128{}
				}
				return u
			}
		}), Family: "uuid", Doc: "Reads a UUID as 16 bytes, zeros if it is none; in variant 2 with its first three parts in little-endian order.", Example: "hex(UUIDStringToNum('61f0c404-5cb3-11e7-907b-a6006ad3dba0')) → 61F0C4045CB311E7907BA6006AD3DBA0"},
		&Scalar{Name: "UUIDToNum", MinArgs: 1, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("UUIDToNum", sixteen, isUUID, isVariant), Eval: evalUUIDToBytes(func(v column.Vector, rows int) func(int) types.U128 { return uuidsOf(v, rows).at }), Family: "uuid", Doc: "Returns the 16 bytes of a UUID.", Example: "hex(UUIDToNum(toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0'), 2)) → 04C4F061B35CE711907BA6006AD3DBA0"},
		&Scalar{Name: "UUIDNumToString", MinArgs: 1, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("UUIDNumToString", types.TString, is16, isVariant), Eval: evalUUIDFromBytes, Family: "uuid", Doc: "Writes 16 bytes as a UUID.", Example: "UUIDNumToString(toFixedString('a/<@];!~p{jTj={)', 16)) → 612f3c40-5d3b-217e-707b-6a546a3d7b29"},
		&Scalar{Name: "UUIDv7ToDateTime", MinArgs: 1, MaxArgs: 2, ConstArgs: []int{1}, Resolve: resolveUUIDv7Time, Eval: evalUUIDv7Time, Family: "uuid", Doc: "Returns the time of a UUID of version 7; of another one the first moment.", Example: "UUIDv7ToDateTime(toUUID('018f05c9-4ab8-7b86-b64e-c9f03fbd45d1'), 'UTC') → 2024-04-22 12:30:29.048"},
		&Scalar{Name: "dateTimeToUUIDv7", MinArgs: 1, MaxArgs: 1, Volatile: true, Resolve: fixed("dateTimeToUUIDv7", types.TUUID, func(t *types.Type) bool { return t.Kind == types.DateTime }), Eval: func(c *Call) (column.Vector, error) {
			out := make([]types.U128, c.Rows)
			for i, unix := range fullNums[uint32](c.Args[0], c.Rows) {
				out[i] = uuidOfMillis(uint64(unix) * 1000)
			}
			return newNum(c.Result, out), nil
		}, Family: "uuid", Doc: "Returns a random UUID of version 7 with a time."},
	)
}

func isUUID(t *types.Type) bool { return t.Kind == types.UUID }

// uuidOfMillis is a random UUID of version 7 of a Unix time.
func uuidOfMillis(ms uint64) types.U128 {
	return types.U128{Hi: ms<<16 | 0x7000 | rand.Uint64()&0xfff, Lo: rand.Uint64()&^(3<<62) | 1<<63}
}

func uuidsOf(v column.Vector, rows int) broadcast[types.U128] {
	if c, ok := v.(*column.Const); ok {
		v = c.Value
	}
	return newBroadcast(v.(*column.Num[types.U128]).Data, rows)
}

// uuidVariant is the argument that says whether the first three parts are stored in little-endian order.
func uuidVariant(c *Call) (mixed bool, err error) {
	if len(c.Args) < 2 {
		return false, nil
	}
	switch v := numsOf[int64](c.Args[1])[0]; v {
	case 1:
		return false, nil
	case 2:
		return true, nil
	default:
		return false, sqlerr.New(sqlerr.ArgumentOutOfBound, "Expected UUID variant, got %d", v)
	}
}

// swapMixed reverses the bytes of each of the first three parts.
func swapMixed(b []byte) {
	b[0], b[1], b[2], b[3] = b[3], b[2], b[1], b[0]
	b[4], b[5], b[6], b[7] = b[5], b[4], b[7], b[6]
}

func evalUUIDToBytes(read func(v column.Vector, rows int) func(int) types.U128) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		mixed, err := uuidVariant(c)
		if err != nil {
			return nil, err
		}
		at, out := read(c.Args[0], c.Rows), column.NewStr(c.Result, c.Rows)
		for i := range c.Rows {
			u, n := at(i), len(out.Data)
			out.Data = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(out.Data, u.Hi), u.Lo)
			if mixed {
				swapMixed(out.Data[n:])
			}
			out.EndValue()
		}
		return out, nil
	}
}

func evalUUIDFromBytes(c *Call) (column.Vector, error) {
	mixed, err := uuidVariant(c)
	if err != nil {
		return nil, err
	}
	s, out := stringsOf(c.Args[0]), stringResult(c)
	for i := range c.Rows {
		var b [16]byte
		copy(b[:], s.row(i))
		if mixed {
			swapMixed(b[:])
		}
		out.Data = valuetext.AppendUUID(out.Data, types.U128{Hi: binary.BigEndian.Uint64(b[:]), Lo: binary.BigEndian.Uint64(b[8:])})
		out.EndValue()
	}
	return out, nil
}

func resolveUUIDv7Time(_ *Env, args []Arg) (*types.Type, error) {
	if !isUUID(args[0].Type) {
		return nil, illegal("UUIDv7ToDateTime", 0, args[0].Type)
	}
	zone, err := zoneArg(args, 1)
	return types.NewDateTime64(3, zone), err
}

func evalUUIDv7Time(c *Call) (column.Vector, error) {
	u, out := uuidsOf(c.Args[0], c.Rows), make([]int64, c.Rows)
	for i := range out {
		if x := u.at(i); x.Hi>>12&15 == 7 {
			out[i] = int64(x.Hi >> 16)
		}
	}
	return newNum(c.Result, out), nil
}

func init() {
	isDateTime32 := func(t *types.Type) bool { return t.Kind == types.DateTime }
	isDateTime64 := func(t *types.Type) bool { return t.Kind == types.DateTime64 }
	register(
		&Scalar{Name: "generateSnowflakeID", MaxArgs: 2, Nulls: NullCustom, Volatile: true, ConstArgs: []int{1}, Resolve: fixed("generateSnowflakeID", types.TUInt64, isAny, isUInt), Eval: evalGenerateSnowflake, Family: "uuid", Doc: "Returns a new Snowflake ID: the time in milliseconds, ten bits of the machine, and a count."},
		&Scalar{Name: "dateTimeToSnowflakeID", MinArgs: 1, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("dateTimeToSnowflakeID", types.TUInt64, isDateTime32, isUInt), Eval: evalToSnowflake, Family: "uuid", Doc: "Returns the first Snowflake ID of a time.", Example: "dateTimeToSnowflakeID(toDateTime('2021-08-15 10:57:56', 'UTC')) → 6832626392367104000"},
		&Scalar{Name: "dateTime64ToSnowflakeID", MinArgs: 1, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("dateTime64ToSnowflakeID", types.TUInt64, isDateTime64, isUInt), Eval: evalToSnowflake, Family: "uuid", Doc: "Returns the first Snowflake ID of a time.", Example: "dateTime64ToSnowflakeID(toDateTime64('2021-08-15 10:57:56', 3, 'UTC')) → 6832626392367104000"},
		&Scalar{Name: "snowflakeIDToDateTime", MinArgs: 1, MaxArgs: 3, ConstArgs: []int{1, 2}, Resolve: resolveFromSnowflake("snowflakeIDToDateTime", false), Eval: evalFromSnowflake, Family: "uuid", Doc: "Returns the time of a Snowflake ID.", Example: "snowflakeIDToDateTime(toUInt64(7204436857747984384), 0, 'UTC') → 2024-06-06 10:59:58"},
		&Scalar{Name: "snowflakeIDToDateTime64", MinArgs: 1, MaxArgs: 3, ConstArgs: []int{1, 2}, Resolve: resolveFromSnowflake("snowflakeIDToDateTime64", true), Eval: evalFromSnowflake, Family: "uuid", Doc: "Returns the time of a Snowflake ID.", Example: "snowflakeIDToDateTime64(toUInt64(7204436857747984384), 0, 'UTC') → 2024-06-06 10:59:58.851"},
	)
}

// A Snowflake ID has the milliseconds since an epoch above the machine's bits, and those above a count's.
const (
	snowflakeTime    = 22
	snowflakeCount   = 12
	snowflakeMachine = 1<<(snowflakeTime-snowflakeCount) - 1
)

// lastSnowflake is the newest ID of this process without its machine's bits: the next is greater.
var lastSnowflake atomic.Uint64

func evalGenerateSnowflake(c *Call) (column.Vector, error) {
	machine := uint64(0)
	switch {
	case len(c.Args) > 1:
		machine = numsOf[uint64](c.Args[1])[0]
	default:
		machine = c.Env.Server.UUID.Lo
	}
	now := uint64(c.Env.Now.UnixMilli())
	if c.Env.Server.Clock != nil {
		now = uint64(c.Env.Server.Clock().UnixMilli())
	}
	n := uint64(c.Rows)
	first := now << snowflakeCount
	for { // n numbers in a row, not before the time, and behind all that were given
		last := lastSnowflake.Load()
		first = max(first, last+1)
		if lastSnowflake.CompareAndSwap(last, first+n) {
			break
		}
	}
	out := make([]uint64, c.Rows)
	for i := range out {
		id := first + uint64(i)
		out[i] = id>>snowflakeCount<<snowflakeTime | machine&snowflakeMachine<<snowflakeCount | id&(1<<snowflakeCount-1)
	}
	return newNum(c.Result, out), nil
}

func snowflakeEpoch(c *Call) int64 {
	if len(c.Args) < 2 {
		return 0
	}
	return numsOf[int64](c.Args[1])[0]
}

func evalToSnowflake(c *Call) (column.Vector, error) {
	epoch, out := snowflakeEpoch(c), make([]uint64, c.Rows)
	millis := fullNums[int64](c.Args[0], c.Rows)
	ticks := make([]int64, c.Rows)
	rescale(ticks, millis, c.Types[0].Scale, 3)
	for i, ms := range ticks {
		out[i] = uint64(ms-epoch) << snowflakeTime
	}
	return newNum(c.Result, out), nil
}

func resolveFromSnowflake(name string, fraction bool) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		checks := []argCheck{func(t *types.Type) bool { return t.Kind == types.UInt64 }, isUInt, isText}
		if err := checkTypes(name, args, checks...); err != nil {
			return nil, err
		}
		zone, err := zoneArg(args, 2)
		if fraction {
			return types.NewDateTime64(3, zone), err
		}
		return types.NewDateTime(zone), err
	}
}

func evalFromSnowflake(c *Call) (column.Vector, error) {
	epoch, ids := snowflakeEpoch(c), fullNums[uint64](c.Args[0], c.Rows)
	if c.Result.Kind == types.DateTime64 {
		out := make([]int64, c.Rows)
		for i, id := range ids {
			out[i] = int64(id>>snowflakeTime) + epoch
		}
		return newNum(c.Result, out), nil
	}
	out := make([]uint32, c.Rows)
	for i, id := range ids {
		out[i] = uint32(uint64(int64(id>>snowflakeTime)+epoch) / 1000)
	}
	return newNum(c.Result, out), nil
}
